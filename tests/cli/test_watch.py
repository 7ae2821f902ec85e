#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Progress is shown on a terminal alone; a check that is interrupted reports what it found, accuses nobody by what it has not read,
and says that it was cut short; in the sandbox as well.

usage: test_watch.py INVAR FORGE SCENARIOS
"""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOM = 2 << 30  # bytes, for the images
MEMORY = 1024  # MiB
MOST_MEMORY = 8192  # MiB
LONG = 1.2  # seconds of a check that leave time to interrupt it, for progress is shown after 0.3
SWEPT = 128 << 20  # bytes that were read by calls: nothing but the sweep reads so many
TRIES = 10
SECCOMP_FILTER = "2"  # in /proc/PID/status


def told_of(pid, what):
    """What the kernel says of a process, as text; nothing when it is gone."""
    try:
        with open(f"/proc/{pid}/{what}", encoding="ascii") as file:
            return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}
    except OSError:
        return {}


class Suite:
    """Counts what is not as it should be."""

    def __init__(self, invar, folder):
        self.invar, self.folder = invar, folder
        self.count = self.failed = 0

    def expect(self, holds, what):
        self.count += 1
        if not holds:
            self.failed += 1
            print(what)

    def path(self, name):
        return os.path.join(self.folder, name)

    def on_terminal(self, *arguments, signals=(), when=b""):
        """Status and what was written to the terminal; each signal is sent once `when` is seen, the next ones soon after. Anew when
        the sweep was over before the signal came."""
        for _ in range(TRIES):
            status, written = self.once_on_terminal(*arguments, signals=signals, when=when)
            if not signals or status == 4:
                break
        return status, written

    def once_on_terminal(self, *arguments, signals, when):
        child, terminal = pty.fork()
        if child == 0:
            os.execve(self.invar, [self.invar, *arguments], {**os.environ, "TERM": "xterm"})
        written, waiting = b"", list(signals)
        while True:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            written += data
            while waiting and when in written:
                os.kill(child, waiting.pop(0))
                time.sleep(0.02)
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), written.decode(errors="replace")

    def in_the_sweep(self, *arguments, number):
        """Status, standard output, and how the process stood when the signal was sent, in the midst of the pass over memory; no terminal.
        Anew when that was over first."""
        for _ in range(TRIES):
            with subprocess.Popen(["nice", self.invar, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                while process.poll() is None and int(told_of(process.pid, "io").get("rchar", SWEPT)) < SWEPT:
                    time.sleep(0.002)
                stood = told_of(process.pid, "status")
                process.send_signal(number)
                output, said = process.communicate()
            if b"stopped before the end: interrupted while memory is swept" in said:
                break
        return process.returncode, output, stood

    def report(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return json.load(file)


def room(folder):
    """Bytes for files there, without taking the memory that others need."""
    return min(shutil.disk_usage(folder).free, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def forge(suite, program, scenario, name):
    """Without holes, so that there is something to sweep; as much as this machine needs some time for, if there is room."""
    memory = MEMORY
    while True:
        subprocess.run([program, scenario, "-o", suite.path("sparse"), "--memory", f"{memory}M"], check=True)
        subprocess.run(["cp", "--sparse=never", suite.path("sparse"), suite.path(name)], check=True)
        began = time.monotonic()
        subprocess.run([suite.invar, "check", "--threads", "1", suite.path(name)], stdout=subprocess.DEVNULL, check=False)
        took = time.monotonic() - began
        memory *= 2
        if took >= LONG or memory > MOST_MEMORY or room(suite.folder) < (memory << 20) + ROOM:
            break
    os.unlink(suite.path("sparse"))


def test_progress(suite):
    base = ("check", "--threads", "1", "--format", "json", "-o", suite.path("whole"))
    status, written = suite.on_terminal(*base, suite.path("image"))
    suite.expect(status == 1, f"status {status} on a terminal")
    told = re.search(r"3/5 collect: memory is swept, (\d+\.\d) of (\d+\.\d) GiB, ", written)
    # Part of it after 0.3 s, and of all: what the file holds, rounded, or a little less.
    size = os.path.getsize(suite.path("image")) / (1 << 30)
    suite.expect(told and float(told.group(1)) < float(told.group(2)) and 0.7 * size < float(told.group(2)) <= size + 0.1,
                 f"progress: {written[:200]!r}")
    suite.expect("\n" not in written, f"progress takes more than one line: {written[:400]!r}")
    suite.expect(written.endswith("\r\x1b[K"), f"the line is not wiped: {written[-100:]!r}")
    status, written = suite.on_terminal(*base, "-q", suite.path("image"))
    suite.expect((status, written) == (1, ""), f"-q: {written[:200]!r}")
    done = subprocess.run([suite.invar, *base, suite.path("image")], capture_output=True, check=False)
    suite.expect((done.returncode, done.stderr) == (1, b""), f"without a terminal: {done.stderr[:200]!r}")
    status, written = suite.on_terminal("check", "--threads", "1", "-v", suite.path("image"))
    lines = [line for line in written.split("\n") if "invar: " in line and "/5 " in line.rsplit("\x1b[K", 1)[-1]]
    suite.expect(not lines, f"a message stands behind the progress: {lines[:2]}")
    suite.expect("/5 " not in written.split("Invar ", 1)[-1], "progress within the report")


def test_interrupted(suite):
    whole = suite.report("whole")
    status, written = suite.on_terminal("check", "--threads", "1", "--format", "json", "-o", suite.path("part"),
                                        suite.path("image"), signals=[signal.SIGINT], when=b"memory is swept")
    part = suite.report("part")
    suite.expect(status == 4, f"status {status} of an interrupted check")
    suite.expect("interrupted: what was found so far is reported" in written, f"interrupted: {written[-300:]!r}")
    suite.expect((part["summary"]["cut_short"] or "").startswith("interrupted while memory is swept, after "),
                 f"cut_short: {part['summary']['cut_short']}")
    suite.expect(part["findings"] == [] and part["summary"]["holds"] == 0, "something was judged by half of a sweep")
    suite.expect({row["pid"] for row in part["processes"]} == {row["pid"] for row in whole["processes"]}, "processes by the lists")
    suite.expect(all(set(row["reasons"]) == {"not judged: the check was interrupted"} for row in part["unknown"]),
                 "why nothing was judged")
    status, _ = suite.on_terminal("check", "--threads", "1", "-o", suite.path("text"), suite.path("image"),
                                  signals=[signal.SIGTERM], when=b"memory is swept")
    with open(suite.path("text"), encoding="utf-8") as file:
        text = " ".join(file.read().split())
    suite.expect(status == 4 and "interrupted while memory is swept" in text, "SIGTERM, as text")
    began = time.monotonic()
    status, written = suite.on_terminal("check", "--threads", "1", "-o", suite.path("none"), suite.path("image"),
                                        signals=[signal.SIGINT, signal.SIGINT], when=b"memory is swept")
    suite.expect(status == 4 and time.monotonic() - began < 30, f"a second signal: status {status}")
    status, written = suite.on_terminal("check", "--threads", "1", "--format", "sqlite", "-o", suite.path("db"),
                                        suite.path("image"), signals=[signal.SIGINT], when=b"memory is swept")
    suite.expect(status == 4 and os.path.exists(suite.path("db")), f"an interrupted database: status {status}: {written[-200:]!r}")
    time.sleep(0.3)
    suite.expect(not [name for name in os.listdir(suite.folder) if name.startswith("db.")], "a new file was left behind")


def test_inside_the_sandbox(suite):
    """Both signals end a check that is locked in, with what it had: the thread that takes them is inside as well."""
    whole = {row["pid"] for row in suite.report("whole")["processes"]}
    for number in (signal.SIGINT, signal.SIGTERM):
        base = ("check", "--threads", "1", "--format")
        status, output, stood = suite.in_the_sweep(*base, "json", suite.path("image"), number=number)
        suite.expect((stood.get("NoNewPrivs"), stood.get("Seccomp")) == ("1", SECCOMP_FILTER), f"{number.name}: not locked in: {stood}")
        suite.expect(status == 4, f"{number.name}: status {status}")
        part = json.loads(output or "{}")
        cut = part.get("summary", {}).get("cut_short") or ""
        suite.expect(cut.startswith("interrupted while memory is swept, after "), f"{number.name}: cut_short: {cut}")
        suite.expect({row["pid"] for row in part.get("processes", [])} == whole, f"{number.name}: processes by the lists")
        status, output, _ = suite.in_the_sweep(*base, "html", suite.path("image"), number=number)
        suite.expect(status == 4 and b"interrupted while memory is swept" in output and output.rstrip().endswith(b"</html>"),
                     f"{number.name}, a page: status {status}, {len(output)} bytes")


def test_any_moment(suite, name):
    """Whenever it is interrupted: nothing is found that the whole check does not find."""
    began = time.monotonic()
    whole = subprocess.run([suite.invar, "check", "--format", "json", suite.path(name)], capture_output=True, check=False)
    took = time.monotonic() - began
    found = {(row["id"], row["subject"]["address"]) for row in json.loads(whole.stdout)["findings"]}
    interrupted = 0
    for moment in range(24):
        with subprocess.Popen([suite.invar, "check", "--format", "json", suite.path(name)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            time.sleep(took * moment / 24)
            process.send_signal(signal.SIGINT)
            output, said = process.communicate()
        if not output:  # before there was a kernel
            suite.expect(process.returncode in (4, -signal.SIGINT), f"{name} at {moment}/24: status {process.returncode}: {said}")
            continue
        report = json.loads(output)
        cut = report["summary"]["cut_short"]
        interrupted += bool(cut)
        more = {(row["id"], row["subject"]["address"]) for row in report["findings"]} - found
        suite.expect(not more, f"{name} at {moment}/24, {cut}: finds {sorted(more)}")
        wanted = 4 if cut else 1 if found else 0
        suite.expect(process.returncode == wanted, f"{name} at {moment}/24: status {process.returncode}, cut short: {cut}")
    suite.expect(interrupted, f"{name} was never interrupted")


def main():
    invar, program, scenarios = map(os.path.abspath, sys.argv[1:4])
    memory = "/dev/shm"
    roomy = os.access(memory, os.W_OK) and room(memory) > ROOM
    with tempfile.TemporaryDirectory(dir=memory if roomy else None) as folder:
        suite = Suite(invar, folder)
        forge(suite, program, os.path.join(scenarios, "attack-unlink", "scenario.lua"), "image")
        test_progress(suite)
        test_interrupted(suite)
        test_inside_the_sandbox(suite)
        os.unlink(suite.path("image"))
        for name in ("clean", "attack-unlink"):
            scenario = os.path.join(scenarios, name, "scenario.lua")
            subprocess.run([program, scenario, "-o", suite.path(name), "--memory", "256M"], check=True)
            test_any_moment(suite, name)
    print(f"{suite.count} expectations, {suite.failed} not met")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
