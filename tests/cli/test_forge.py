#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What invar-forge refuses it names: the file and line of the scenario, and what a mistyped word was meant to be.

usage: test_forge.py FORGE
"""
import os
import re
import subprocess
import sys
import tempfile

# What a scenario says; the line that is named; what the message says.
SCENARIOS = [
    ("unlnk(find(4))", 1, "(global 'unlnk'); did you mean 'unlink'?"),
    ("local m = desktop()\n\nhide_thread(m.notepad)", 3, "did you mean 'hide_threads'?"),
    ("local m = desktop()\nunlink(m.notepad, 'shedular')", 2, "did you mean 'scheduler'?"),
    ("unlink_thread(find(4).threads[1], 'dispacher')", 1, "did you mean 'dispatcher'?"),
    ("process{name = 'a', paht = 'b'}", 1, "'paht' is not known here; did you mean 'path'?"),
    ("process{name = 'a', state = 'zombi'}", 1, "did you mean 'zombie'?"),
    ("process{name = 'a', role = 'registri'}", 1, "did you mean 'registry'?"),
    ("process{name = 'a', user = 'sytem'}", 1, "did you mean 'system'?"),
    ("process{name = 'a', integrity = 'hihg'}", 1, "did you mean 'high'?"),
    ("process{name = 'a', subsystem = 'window'}", 1, "did you mean 'windows'?"),
    ("session(1, {state = 'conected'})", 1, "did you mean 'connected'?"),
    ("alloc(process{name = 'a'}, {size = 4096, protect = 'gard'})", 1, "did you mean 'guard'?"),
    ("alloc(process{name = 'a'}, {size = 4096, kind = 'larg'})", 1, "did you mean 'large'?"),
    ("map(process{name = 'a'}, {address = 0x10000, kind = 'privat'})", 1, "did you mean 'private'?"),
    ("ready(process{name = 'a', threads = 2}.threads[2], {queue = 'grop'})", 1, "did you mean 'group'?"),
    ("register('proces', driver('a.sys'))", 1, "did you mean 'process'?"),
    ("object('Mutnat')", 1, "did you mean 'Mutant'?"),
    ("object_type('Tread')", 1, "did you mean 'Thread'?"),
    ("w32_offset('PtiLnk')", 1, "did you mean 'PtiLink'?"),
    ("\nset(find(4), '_EPROCESS.UniqeProcessId', 4)", 2, "did you mean '_EPROCESS.UniqueProcessId'?"),
    ("set(find(4), 'EPROCESS.UniqueProcessId', 4)", 1, "did you mean '_EPROCESS.UniqueProcessId'?"),
    ("symbol('PsActiveProcesHead')", 1, "did you mean 'PsActiveProcessHead'?"),
    ("symbol(find(4).adress)", 1, "a process has no 'adress'; did you mean 'address'?"),
    ("symbol(find(4).threads[1].sart)", 1, "a thread has no 'sart'; did you mean 'start'?"),
    ("\nmachine{kernel = '10.0.19041.1416'}", 2, "by this name; the nearest is 10.0.19041.1415"),
    ("machine{kernl = '10.0.19041.1415'}", 1, "did you mean 'kernel'?"),
    # Nothing is near.
    ("frobnicate()", 1, "attempt to call a nil value (global 'frobnicate')"),
    ("process{name = 'a', state = 'undead'}", 1, "is no state: running, c0"),
    # What stands in a word that is written in Lua, was called by nobody's line, or is of the language.
    ("local x\n\nhide_threads(nil)", 3, "index a nil value"),
    ("function f()\n  unlink(3)\nend\nf()", 2, "bad argument #1 to 'unlink'"),
    ("\ntable.sort({1, 2}, unlink)", 2, "bad argument #1"),
    ("find(4)\nerror('mine', 0)", 2, "mine"),
    ("find(4)\nerror({})", 2, "the scenario raised what is no text"),
    ("process{\nname = 'a'", 3, "'}' expected"),
    ("unlink(find(4)) breaks('L01')\nclean()", 2, "both clean() and breaks()"),
    ("clean() unlink(find(4))\nbreaks('L01')", 2, "both clean() and breaks()"),
]
# The command line; what is said.
COMMANDS = [
    (["--kernl", "19041"], "no such option: --kernl; did you mean '--kernel'?"),
    (["--ouptut=x"], "did you mean '--output'?"),
    (["--frobnicate"], "no such option: --frobnicate\n"),
    (["-x"], "no such option: -x\n"),
    (["--kernel"], "needs a value: --kernel"),
    (["-o"], "needs a value: -o"),
    (["--help=3"], "takes no value: --help=3"),
    (["--format", "dpm"], "no such format: dpm; did you mean 'dmp'?"),
    (["--format", "qcow"], "no such format: qcow\n"),
    (["--list", "kernles"], "not: kernles; did you mean 'kernels'?"),
    (["--list", "attack"], "did you mean 'attacks'?"),
]
# A kernel that there is none of; the nearest.
KERNELS = [
    ("10.0.19014.1415", "10.0.19041.1415"),
    ("19041.1416", "19041.1415"),
    ("19014", "19041"),
    ("10.0.14939", "10.0.14393"),
    ("606FF669409B00F7FC8C61A9C1670128", "606FF669409B00F7FC8C61A9C1670129"),
]


class Suite:
    def __init__(self, forge, folder):
        self.forge, self.folder, self.count, self.failed = forge, folder, 0, 0
        self.scenario = os.path.join(folder, "a folder with a name that is longer than what Lua keeps of it", "wrong.lua")
        self.image = os.path.join(folder, "image")
        os.mkdir(os.path.dirname(self.scenario))

    def refused(self, text, arguments, *wanted):
        with open(self.scenario, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        done = subprocess.run([self.forge, self.scenario, "--memory", "64M", *arguments], capture_output=True, text=True,
                              timeout=120, check=False)
        self.count += 1
        if done.returncode != 2 or done.stdout or any(part not in done.stderr for part in wanted):
            self.failed += 1
            print(f"{text!r} {arguments}: status {done.returncode}, {done.stderr!r} does not say {wanted}")
        return done.stderr

    def known(self, what):
        return subprocess.run([self.forge, "--list", what], capture_output=True, text=True, check=True).stdout


def test_kernels(suite):
    shown = suite.known("kernels")
    for typed, near in KERNELS:
        if re.search(rf"\b{re.escape(near)}\b", shown):
            suite.refused("find(4)", ["-o", suite.image, "--kernel", typed], f"forge: {typed}: ", f"; the nearest is {near}\n")
    # A build of the future: the last one that is known.
    last = max(int(line.split(".")[2]) for line in shown.splitlines())
    suite.refused("find(4)", ["-o", suite.image, "--kernel", "59999"], f"; the nearest is {last}\n")
    said = suite.refused("find(4)", ["-o", suite.image, "--kernel", "frobnicate"], "no kernel")
    suite.count += 1
    if "nearest" in said:
        suite.failed += 1
        print(f"what is near to nothing: {said}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(os.path.abspath(sys.argv[1]), folder)
        for text, line, wanted in SCENARIOS:
            suite.refused(text, ["-o", suite.image], f"wrong.lua:{line}: ", wanted)
        for arguments, wanted in COMMANDS:
            suite.refused("find(4)", arguments, wanted)
        test_kernels(suite)
        # Every word that is listed is one: else an earlier line would be named.
        words = [line.split("(")[0].split("{")[0] for what in ("operations", "attacks")
                 for line in suite.known(what).splitlines() if not line.startswith(" ")]
        suite.refused("\n".join(f"_ = {word} or no_word()" for word in words) + "\nunlin()",
                      ["-o", suite.image], f"wrong.lua:{len(words) + 1}: ", "did you mean 'unlink'?")
        print(f"{suite.count} expectations, {suite.failed} not met")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
