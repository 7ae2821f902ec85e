#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the program takes, and how much memory of its own, as a ratio to a plain read of the same image.

usage: bench.py INVAR FORGE SCENARIO

The memory is that of the process without the pages of the image that it has mapped (RssAnon). Each figure is the least of several runs. The baseline reads every byte of the image that is not a hole, in the same run
and on the same machine, so that the ratio says more than the seconds do.
"""
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time

RUNS = 5


def own_memory(pid):
    """KiB of the process that are no mapped file."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def measure(arguments):
    """Seconds, and the greatest RssAnon in KiB that a look every 5 ms saw."""
    start = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    most = [0]
    done = threading.Event()

    def watch():
        while not done.wait(0.005):
            most[0] = max(most[0], own_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = process.wait()
    seconds = time.monotonic() - start
    done.set()
    watcher.join()
    if status not in (0, 1):
        sys.exit(f"{' '.join(arguments)}: failed")
    return seconds, most[0]


def best(arguments):
    runs = [measure(arguments) for _ in range(RUNS)]
    return min(run[0] for run in runs), max(run[1] for run in runs)


def read_data(path):
    """Reads what is no hole; returns the bytes."""
    total, offset = 0, 0
    with open(path, "rb", buffering=0) as file:
        end = os.fstat(file.fileno()).st_size
        while offset < end:
            try:
                offset = os.lseek(file.fileno(), offset, os.SEEK_DATA)
            except OSError:
                break
            stop = os.lseek(file.fileno(), offset, os.SEEK_HOLE)
            os.lseek(file.fileno(), offset, os.SEEK_SET)
            total += stop - offset
            while offset < stop:
                offset += len(file.read(min(stop - offset, 1 << 20)))
        return total


def baseline(path):
    """Seconds, and the bytes that are there."""
    times = []
    for _ in range(RUNS):
        start = time.monotonic()
        size = read_data(path)
        times.append(time.monotonic() - start)
    return min(times), size


def bench(name, invar, command, path):
    plain, size = baseline(path)
    seconds, own = best([invar, *command, path])
    print(f"{name:42} {seconds:8.3f} s  {size / seconds / 1e9:6.2f} GB/s  {own / 1024:7.1f} MiB  "
          f"plain read {plain:.3f} s  ratio {seconds / plain:.1f}", flush=True)


def bench_whole(invar, forge, scenario, folder):
    """Four GiB of memory with data in every page: what the pass over memory costs."""
    with open(scenario, encoding="utf-8") as file:
        text = file.read()
    filled = os.path.join(folder, "filled.lua")
    with open(filled, "w", encoding="utf-8") as file:
        file.write(text + "\nfill(8 << 30)\n")
    path = os.path.join(folder, "image")
    subprocess.run([forge, filled, "-o", path, "--memory", "4G"], check=True)
    bench("ps of 4 GiB in use", invar, ["ps"], path)
    for threads in ("1", "2"):
        bench(f"check of 4 GiB in use, {threads} threads", invar, ["check", "--threads", threads], path)


def main():
    invar, forge, scenario = sys.argv[1:4]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        for size in ("256M", "64G"):
            for form in ("raw", "dmp"):
                path = os.path.join(folder, "image")
                subprocess.run([forge, scenario, "-o", path, "--memory", size, "--format", form], check=True)
                for command in ("info", "check"):
                    bench(f"{command} of {size} {form}", invar, [command], path)
        bench_whole(invar, forge, scenario, folder)


if __name__ == "__main__":
    main()
