#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The explorer in a real terminal, driven by keys through tmux: processes, findings, dossier, structures, memory, search; how far the check
is that it begins with, and that it can be stopped.

usage: test_explore.py INVAR FORGE SCENARIO
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # seconds, for a machine that does other things as well
HIDDEN = "ghost.exe"
SLICE = 0.03  # seconds that a check runs between two looks at its screen
ROOM = 3 << 30  # bytes, for an image without holes


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, folder, command):
        self.tmux = ["tmux", "-L", f"invar-{os.getpid()}-{id(self)}", "-f", "/dev/null"]  # the one before may still be at its end
        self.failed = 0
        self.count = 0
        environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TMUX_TMPDIR": folder}
        environment.pop("TMUX", None)
        self.environment = environment
        self.call("new-session", "-d", "-x", "150", "-y", "40", command)

    def call(self, *arguments):
        return subprocess.run([*self.tmux, *arguments], capture_output=True, text=True, env=self.environment, check=True).stdout

    def keys(self, *keys):
        self.call("send-keys", *keys)

    def text(self):
        return self.call("capture-pane", "-p")

    def wait(self, wanted, what):
        """The screen, once it has `wanted` in it."""
        self.count += 1
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            screen = self.text()
            if wanted in screen:
                return screen
            time.sleep(0.05)
        self.failed += 1
        print(f"{what}: no {wanted!r} on\n{self.text()}")
        return self.text()

    def expect(self, holds, what):
        self.count += 1
        if not holds:
            self.failed += 1
            print(f"{what}\n{self.text()}")

    def wait_in_slices(self, wanted, what):
        """The screen once it has `wanted` in it; the program stands still then. Its identifier."""
        self.count += 1
        until = time.monotonic() + PATIENCE
        shell = self.call("display-message", "-p", "#{pane_pid}").strip()
        program = None
        while time.monotonic() < until:
            children = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", shell], capture_output=True, text=True, check=False).stdout
            program = next((int(line.split()[0]) for line in children.splitlines() if line.split()[1] == "invar"), None)
            if program is None:
                continue
            os.kill(program, signal.SIGSTOP)
            time.sleep(0.02)  # for tmux, which reads what was written
            if wanted in self.text():
                return program
            os.kill(program, signal.SIGCONT)
            time.sleep(SLICE)
        self.failed += 1
        print(f"{what}: no {wanted!r} on\n{self.text()}")
        return program

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], capture_output=True, env=self.environment, check=False)


def row_of(screen, text):
    return next((line for line in screen.splitlines() if text in line), "")


def explore(terminal, process):
    screen = terminal.wait(HIDDEN, "processes by witnesses")
    terminal.expect("!" in row_of(screen, HIDDEN) and "hidden" in row_of(screen, HIDDEN), "the hole in the matrix")
    terminal.keys("/")
    terminal.keys("GHOST", "Enter")
    terminal.wait("missing from: active-list", "search finds the hidden process, and the foot tells what it is missing from")
    terminal.keys("Enter")
    terminal.wait(f"Process {process['pid']} {HIDDEN} at {process['address']}", "the dossier")
    terminal.wait("role ordinary", "what is in the dossier")
    terminal.keys("Enter")
    terminal.wait(f"_EPROCESS at {process['address']}", "a structure")
    terminal.keys("/")
    terminal.keys("ObjectTable", "Enter")
    terminal.keys("Enter")
    terminal.wait("_HANDLE_TABLE at 0x", "what a pointer leads to")
    terminal.keys("Escape")
    terminal.wait(f"_EPROCESS at {process['address']}", "back")
    terminal.keys("m")
    terminal.keys(process["address"], "Enter")
    terminal.wait(f"Memory at {int(process['address'], 16) & ~15:#x} of process", "memory")
    terminal.keys("]")
    terminal.wait(f"Memory at {(int(process['address'], 16) & ~15) + 0x4000:#x} of process", "memory further on")
    terminal.keys("d")
    terminal.keys("_NO_SUCH_TYPE 0x10", "Enter")
    terminal.wait("no type '_NO_SUCH_TYPE' is known", "a type that is not known")
    terminal.keys("d")
    terminal.keys(f"_EPROCESS.ObjectTable->QuotaProcess {process['address']}", "Enter")
    terminal.wait(f"_EPROCESS at {process['address']}", "a path through pointers")
    terminal.keys("2")
    screen = terminal.wait("how sure", "findings")
    terminal.expect(HIDDEN in screen, "what the findings are about")
    terminal.keys("Enter")
    terminal.wait("Dossier of process", "one finding, and the way on")
    terminal.keys("Down", "G", "Enter")
    terminal.wait(f"Process {process['pid']} {HIDDEN} at", "from a finding to the dossier")
    terminal.keys("3")
    terminal.wait("Report", "the report")
    terminal.keys("?")
    terminal.wait("The matrix of witnesses", "help")
    terminal.keys("NPage", "End", "Home", "Left", "Right", "x", "q")
    terminal.wait("Report", "back from help")
    terminal.call("resize-window", "-x", "60", "-y", "12")
    terminal.keys("1")
    terminal.wait("Processes by witnesses", "a small window")
    terminal.keys("Q")
    terminal.wait("status 0", "the end")


def start(invar, folder, *arguments):
    return Terminal(folder, f"'{invar}' explore {' '.join(arguments)}; echo status $?; sleep {10 * PATIENCE}")


def stop_early(terminal):
    """One q: what was found so far."""
    program = terminal.wait_in_slices("3/5 collect: memory is swept, 0.", "how far it is")
    screen = terminal.text()
    terminal.expect("done  2/5 identify" in screen and "4/5 assemble" in screen and " of 1.0 GiB, " in screen, "the steps")
    terminal.expect("[#" in screen or "[." in screen, "a bar")
    terminal.expect("q stops it" in screen, "what can be done")
    terminal.keys("q")
    os.kill(program, signal.SIGCONT)
    screen = terminal.wait("interrupted while memory is swept, after ", "what was cut short, and when")
    terminal.expect("findings; stopped before the end" in screen, "the head says it, too")
    terminal.expect("explorer.exe" in screen, "what the lists of processes gave")
    terminal.keys("2")
    terminal.wait("observations: 0; stopped before the end", "nothing was judged by half of a sweep")
    terminal.keys("3")
    terminal.wait("no: interrupted while memory is swept", "the report")
    terminal.keys("Q")
    terminal.wait("status 4", "the end")


def stop_at_once(terminal):
    """A second q, or Ctrl-C: nothing is waited for, and the terminal is given back."""
    program = terminal.wait_in_slices("memory is swept", "how far it is")
    terminal.keys("q", "C-c")
    os.kill(program, signal.SIGCONT)
    screen = terminal.wait("status ", "the end")
    # Whether the first was enough before the second came is the machine's to say; then this is the explorer's own end.
    terminal.expect("status 4" in screen, "the status")
    terminal.expect("memory is swept" not in screen, "the screen from before is back")


def test_progress(invar, forge, scenario, folder):
    image = os.path.join(folder, "large")
    subprocess.run([forge, scenario, "-o", image + ".sparse", "--memory", "1G"], check=True)
    subprocess.run(["cp", "--sparse=never", image + ".sparse", image], check=True)
    count = failed = 0
    for act in (stop_early, stop_at_once):
        terminal = start(invar, folder, "--threads", "1", image)
        try:
            act(terminal)
        finally:
            terminal.close()
        count, failed = count + terminal.count, failed + terminal.failed
    return count, failed


def main():
    if not shutil.which("tmux"):
        print("tmux is not installed")
        return 77
    invar, forge, scenario = map(os.path.abspath, sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        image, truth = os.path.join(folder, "image"), os.path.join(folder, "truth")
        subprocess.run([forge, scenario, "-o", image, "--truth", truth], check=True)
        with open(truth, encoding="utf-8") as file:
            process = next(row for row in json.load(file)["processes"] if row["name"] == HIDDEN)
        bare = subprocess.run([invar, "explore", image], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        terminal = start(invar, folder, image)
        try:
            terminal.expect(bare.returncode == 2 and "needs a terminal" in bare.stderr, "without a terminal")
            explore(terminal, process)
        finally:
            terminal.close()
    memory = "/dev/shm"
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    with tempfile.TemporaryDirectory(dir=memory if roomy else None) as folder:
        count, failed = test_progress(invar, forge, scenario, folder)
    count, failed = count + terminal.count, failed + terminal.failed
    print(f"{count} expectations, {failed} not met")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
