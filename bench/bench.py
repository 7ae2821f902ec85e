#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the program takes, and how much memory of its own, as a ratio to a plain read of the same image.

usage: bench.py INVAR FORGE SCENARIO

Each figure is the least of several runs. The baseline reads every byte of the image that is not a hole, in the same run
and on the same machine, so that the ratio says more than the seconds do.
"""
import os
import resource
import subprocess
import sys
import tempfile
import time

RUNS = 5


def measure(arguments):
    """Seconds and peak resident KiB of one run."""
    start = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"{' '.join(arguments)}: failed")
    return time.monotonic() - start, usage.ru_maxrss


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
            while offset < stop:
                offset += len(file.read(min(stop - offset, 1 << 20)))
            total += stop
        return total


def baseline(path):
    times = []
    for _ in range(RUNS):
        start = time.monotonic()
        read_data(path)
        times.append(time.monotonic() - start)
    return min(times)


def bench(name, invar, command, path):
    plain = baseline(path)
    seconds, resident = best([invar, command, path])
    print(f"{name:42} {seconds:8.3f} s  {resident / 1024:7.1f} MiB  plain read {plain:.3f} s  ratio {seconds / plain:.1f}")


def main():
    invar, forge, scenario = sys.argv[1:4]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        for size in ("256M", "64G"):
            for form in ("raw", "dmp"):
                path = os.path.join(folder, "image")
                subprocess.run([forge, scenario, "-o", path, "--memory", size, "--format", form], check=True)
                for command in ("info", "check"):
                    bench(f"{command} of {size} {form}", invar, command, path)


if __name__ == "__main__":
    main()
