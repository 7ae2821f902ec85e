#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the program takes, and how much memory of its own, as a ratio to a plain read of the same image.

usage: bench.py INVAR FORGE SCENARIO [GROUP...]

Groups: small, whole, inside, sparse, growth; all of these if none is named. And page, when it is named: the page of 20,000 processes, and
how long it keeps its reader waiting in Chromium (bench/page.mjs; needs what ./dev setup installs for the page).

The memory is that of the process without the pages of the image that it has mapped (RssAnon). Each figure is the least of
several runs. The baseline reads every byte of the image that is not a hole, in the same run and on the same machine, so that
the ratio says more than the seconds do. An image that is a file on disk is dropped from the page cache when it was forged and
comes back with the first plain read, as one does that was copied to the machine.
"""
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MANY = os.path.join(HERE, "many.lua")


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
    """Seconds, those of them that were spent on a CPU, and the greatest RssAnon in KiB that a look every 5 ms saw."""
    start = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    most = [0]
    done = threading.Event()

    def watch():
        while not done.wait(0.005):
            most[0] = max(most[0], own_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    done.set()
    watcher.join()
    if process.returncode not in (0, 1):
        sys.exit(f"{' '.join(arguments)}: failed")
    return seconds, usage.ru_utime + usage.ru_stime, most[0]


def best(arguments, runs):
    measured = [measure(arguments) for _ in range(runs)]
    return min(run[0] for run in measured), min(run[1] for run in measured), max(run[2] for run in measured)


def data_of(file):
    """The parts that are no holes."""
    offset, end = 0, os.fstat(file).st_size
    while offset < end:
        try:
            offset = os.lseek(file, offset, os.SEEK_DATA)
        except OSError:
            return
        stop = os.lseek(file, offset, os.SEEK_HOLE)
        yield offset, stop
        offset = stop


def read_data(path):
    """Reads what is no hole; returns the bytes."""
    total, buffer = 0, memoryview(bytearray(128 << 10))
    file = os.open(path, os.O_RDONLY)
    for offset, stop in data_of(file):
        total += stop - offset
        while offset < stop:
            offset += os.preadv(file, [buffer[:stop - offset]], offset)
    os.close(file)
    return total


def baseline(path, runs):
    """Seconds of a plain read, and the bytes that are there. What has no hole, cat reads."""
    times = []
    for _ in range(runs):
        start = time.monotonic()
        size = read_data(path)
        times.append(time.monotonic() - start)
        if size == os.path.getsize(path):
            start = time.monotonic()
            subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)
            times.append(time.monotonic() - start)
    return min(times), size


def bench(name, command, path, plain, runs=5):
    """One row; returns the seconds on all CPUs together."""
    read, size = plain
    seconds, cpu, own = best([*command, path], runs)
    print(f"{name:42} {seconds:8.3f} s  {size / seconds / 1e9:6.2f} GB/s  {own / 1024:7.1f} MiB  "
          f"plain read {read:.3f} s  ratio {seconds / read:.1f}", flush=True)
    return cpu


def forge(program, scenario, path, *options):
    subprocess.run([program, scenario, "-o", path, *options], check=True)
    file = os.open(path, os.O_RDWR)
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def forge_many(program, path, memory, processes, threads, handles, fill, modules=0, private=0):
    """So many processes, each with so many threads and handles to some of all these; and with so many DLLs beside those that all
    have, and bytes of its own."""
    script = path + ".lua"
    with open(MANY, encoding="utf-8") as file:
        text = file.read()
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"local memory, processes, threads, handles = '{memory}', {processes}, {threads}, {handles}\n"
                   f"local modules, private = {modules}, {private}\n{text}")
        file.write(f"fill({fill})\n")
    forge(program, script, path)


def bench_small(invar, program, scenario, path):
    for size in ("256M", "64G"):
        for form in ("raw", "dmp"):
            forge(program, scenario, path, "--memory", size, "--format", form)
            plain = baseline(path, 5)
            for command in ("info", "check"):
                bench(f"{command} of {size} {form}", [invar, command], path, plain)


# With System and its like: 150 processes, 2,500 threads, 60,000 handles.
SERVER = (146, 17, 410)


def bench_server(what, memory, fill, invar, program, path):
    """What the pass over 4 GiB of data costs."""
    forge_many(program, path, memory, *SERVER, fill)
    plain = baseline(path, 3)
    bench(f"ps of {what}", [invar, "ps"], path, plain)
    for threads in ("1", "2"):
        bench(f"check of {what}, {threads} threads", [invar, "check", "--threads", threads], path, plain)


ALL_HAVE = 4  # the program, ntdll, kernel32, KERNELBASE


def bench_inside(invar, program, path):
    """What the insides of processes cost: 60 modules and 16 MiB of its own in each of 150; then ever more modules."""
    forge_many(program, path, "4G", *SERVER, 8 << 30, 60 - ALL_HAVE, 16 << 20)
    plain = baseline(path, 3)
    for threads in ("1", "2"):
        bench(f"check of 4 GiB, 60 modules, {threads} threads", [invar, "check", "--threads", threads], path, plain)
    for modules in (15, 30, 60, 120):
        forge_many(program, path, "4G", *SERVER, 0, modules - ALL_HAVE)
        cpu = bench(f"check of 150 processes of {modules} modules", [invar, "check"], path, baseline(path, 2), 3)
        print(f"{'    CPU time, for each module of each':42} {cpu * 1e6 / (150 * modules):8.1f} us", flush=True)


def bench_growth(invar, program, path):
    """Ten threads and a hundred handles a process: 20,000 processes have 200,000 threads and 2 million handles."""
    for processes, memory in ((2500, "1536M"), (5000, "3G"), (10000, "6G"), (20000, "12G")):
        forge_many(program, path, memory, processes, 10, 100, 0)
        cpu = bench(f"check of {processes} processes", [invar, "check"], path, baseline(path, 2), 3)
        print(f"{'    CPU time, for each process':42} {cpu * 1e3 / processes:8.3f} ms", flush=True)


def bench_page(invar, program, path):
    """The image of the last row of growth, as a page."""
    forge_many(program, path, "12G", 20000, 10, 100, 0)
    report = path + ".html"
    bench("page of 20000 processes", [invar, "check", "--format", "html", "-o", report], path, baseline(path, 2), 1)
    subprocess.run(["node", os.path.join(HERE, "page.mjs"), report], check=True)


def roomy_folder(needed):
    """Where a file of many holes is made and removed fast: memory, if there is enough of it; None: the usual place."""
    try:
        memory = os.statvfs("/dev/shm")
    except OSError:
        return None
    room = memory.f_bavail * memory.f_frsize
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return "/dev/shm" if min(room, available) > needed and os.access("/dev/shm", os.W_OK) else None


def main():
    invar, program, scenario = sys.argv[1:4]
    groups = sys.argv[4:] or ["small", "whole", "inside", "sparse", "growth"]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "image")
        if "small" in groups:
            bench_small(invar, program, scenario, path)
        if "whole" in groups:
            bench_server("4 GiB in use", "4G", 8 << 30, invar, program, path)
        if "inside" in groups:
            bench_inside(invar, program, path)
    with tempfile.TemporaryDirectory(dir=roomy_folder(10 << 30)) as folder:
        path = os.path.join(folder, "image")
        if "sparse" in groups:
            bench_server("64 GiB, 4 GiB in use", "64G", 5 << 30, invar, program, path)
        if "growth" in groups:
            bench_growth(invar, program, path)
        if "page" in groups:
            bench_page(invar, program, path)


if __name__ == "__main__":
    main()
