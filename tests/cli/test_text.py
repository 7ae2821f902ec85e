#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The report for people begins with what matters, fits the terminal, and says what to do next; and so do messages about mistyped
words.

usage: test_text.py INVAR FORGE SCENARIOS
"""
import json
import os
import re
import subprocess
import sys
import tempfile

COMMANDS = ("check", "info", "ps", "tree", "process", "threads", "handles", "power", "tokens", "sessions", "modules", "callbacks",
            "vads", "extract", "dt", "explain", "witnesses")
WRONG = [  # what is typed, and what must be said
    (["thread", "IMAGE"], "did you mean 'threads'?"),
    (["chekc", "IMAGE"], "did you mean 'check'?"),
    (["proc", "IMAGE"], "did you mean 'process'?"),
    (["frobnicate", "IMAGE"], "'frobnicate' is neither a command nor a file\n"),
    (["check", "--formt", "json", "IMAGE"], "unknown option '--formt'; did you mean '--format'?"),
    (["check", "--colour=never", "IMAGE"], "did you mean '--color'?"),
    (["check", "--frob", "IMAGE"], "unknown option '--frob'\n"),
    (["check", "-x", "IMAGE"], "unknown option '-x'"),
    (["check", "-qx", "IMAGE"], "unknown option '-x'"),
    (["check", "IMAGE", "--format"], "option '--format' needs a value"),
    (["check", "IMAGE", "-o"], "option '-o' needs a value"),
    (["ps", "--all=yes", "IMAGE"], "option '--all' takes no value"),
    (["check", "--format", "jsno", "IMAGE"], "unknown format 'jsno'; did you mean 'json'? 'check' has text, json, ndjson, csv, html, sqlite"),
    (["ps", "--format", "stix", "IMAGE"], "format 'stix' is not for 'ps', which has text, json, ndjson, csv\n"),
    (["check", "--format", "markdown", "IMAGE"], "format 'markdown' is not for 'check'"),
    (["check", "--format", "sqlite", "IMAGE"], "a database needs a file: invar check --format sqlite -o case.db IMAGE"),
    (["info"], "too few arguments: invar info IMAGE"),
    (["witnesses", "x"], "'witnesses' takes no arguments"),
    (["info", "IMAGE", "IMAGE"], "too many arguments: invar info IMAGE"),
]


class Suite:
    """Runs the program on one image; a test that fails says what, and the others go on."""

    def __init__(self, invar, folder):
        self.invar, self.folder = invar, folder
        self.count = self.failed = 0

    def expect(self, holds, what):
        self.count += 1
        if not holds:
            self.failed += 1
            print(what)

    def run(self, *arguments, **environment):
        return subprocess.run([self.invar, *arguments], capture_output=True, text=True, cwd=self.folder, timeout=120,
                              env={**os.environ, **environment}, check=False)

    def report(self, image, **environment):
        return self.run("check", image, **environment).stdout


def test_words(suite, image):
    for words, says in WRONG:
        done = suite.run(*[image if word == "IMAGE" else word for word in words])
        says = says if "invar " in says and "IMAGE" in says and words[0] == "info" else says.replace("IMAGE", image)
        suite.expect(done.returncode == 2, f"{words}: status {done.returncode}")
        suite.expect(says in done.stderr, f"{words}: says {done.stderr!r}, not {says!r}")
        suite.expect(done.stderr.endswith("Try 'invar --help'.\n") and not done.stdout, f"{words}: {done.stderr!r}")
    for command in COMMANDS:
        shown = suite.run(command, "--help").stdout
        suite.expect(re.search(rf"^  invar {'' if command == 'check' else command}", shown, re.MULTILINE),
                     f"{command} --help has no example")


def test_story(suite, image, report):
    text = suite.report(image)
    titles = re.findall(r"^(Machine|Complete|Processes|Wrong|Findings: \w+|Observations|Processes|Witnesses|Unknown|Excused|Verdicts)\b",
                        text, re.MULTILINE)
    suite.expect(titles[:4] == ["Machine", "Complete", "Processes", "Wrong"], f"the summary has {titles[:4]}")
    suite.expect(titles[4].startswith("Findings: ") and titles[-1] == "Verdicts", f"the parts are {titles}")
    summary = text.split("\n\n")[1]
    suite.expect("8: 7 running, 1 hidden" in summary, f"how many processes there are: {summary}")
    suite.expect(f"Wrong      {report['summary']['broken']} contradictions: " in summary, f"what is wrong: {summary}")
    suite.expect(re.search(r"process 720 notepad\.exe at 0x[0-9a-f]+, hidden:\s+L01 L02 ", summary), f"who is accused: {summary}")
    flat = " ".join(text.split())
    for finding in report["findings"]:
        suite.expect(finding["statement"] in flat, f"{finding['id']} is not told")
        for piece in finding["evidence"]:
            suite.expect(piece["says"] in flat and piece["witness"] in flat, f"{finding['id']}: '{piece['says']}' is not told")
            if piece["address"]:
                told = f"{piece['field']} = {piece['value']} at {piece['address']} [{piece['witness']}, {piece['tier']}]"
                suite.expect(told in flat, f"{finding['id']}: '{told}' is not told")
        for tried in finding["excuses_tried"]:
            suite.expect(f"not excused by {tried['exception']}: {tried['why_not']}" in flat, f"{finding['id']}: {tried}")
    suite.expect("T1014 Rootkit, T1564 Hide Artifacts" in flat, "the names of techniques")
    for row in report["unknown"]:
        suite.expect(re.search(rf"\b{row['id']} {row['count']} of [0-9]+, [^:]*: ", flat), f"{row['id']} unknown is not told")
    suite.expect("\x1b" not in text, "colour without a terminal")
    colored = suite.run("check", "--color", "always", image).stdout
    suite.expect("\x1b[1;31mL01\x1b[0m" in colored, "no colour where it is asked for")
    suite.expect(without_time(re.sub(r"\x1b\[[0-9;]*m", "", colored)) == without_time(text), "colour changes more than colour")


def without_time(text):
    return re.sub(r"\([0-9.]+ s\)", "", text)


def test_width(suite, image):
    for columns, most in (("60", 60), ("100", 100), ("500", 120), ("10", 40), ("", 120)):
        text = suite.report(image, COLUMNS=columns)
        for line in text.split("\nProcesses\n")[0].split("\n"):
            # A single word may be longer; what was broken is indented.
            words = line.split()
            fits = len(line) <= most or max(map(len, words)) + len(line) - len(line.lstrip()) + 24 >= most
            suite.expect(fits, f"{columns or 'default'}: {len(line)} columns: {line}")
        suite.expect(max(map(len, text.split("\nProcesses\n")[0].split("\n"))) > most * 3 // 4, f"{columns}: wrapped too early")
    narrow, wide = (" ".join(suite.report(image, COLUMNS=columns).split("\nProcesses\n")[0].split()) for columns in ("60", "120"))
    suite.expect(narrow == wide, "the width changes words")


def test_next(suite, image):
    """What the report tells to type next works, whatever the image is called."""
    odd = "it's my image; rm -rf $HOME"
    os.rename(os.path.join(suite.folder, image), os.path.join(suite.folder, odd))
    text = suite.report(odd, COLUMNS="120")
    commands = set(re.findall(r"^ +next +(invar .*)$", text, re.MULTILINE))
    suite.expect(commands, "no command is named")
    for command in commands:
        done = subprocess.run(["sh", "-c", command.replace("invar", f"'{suite.invar}'", 1)], capture_output=True, text=True,
                              cwd=suite.folder, check=False)
        suite.expect(done.returncode == 0 and done.stdout, f"{command}: status {done.returncode}: {done.stderr}")
    os.rename(os.path.join(suite.folder, odd), os.path.join(suite.folder, image))


def main():
    invar, forge, scenarios = map(os.path.abspath, sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(invar, folder)
        scenario = os.path.join(scenarios, "attack-unlink", "scenario.lua")
        subprocess.run([forge, scenario, "-o", os.path.join(folder, "image"), "--memory", "128M"], check=True)
        report = json.loads(suite.run("check", "--format", "json", "image").stdout)
        test_words(suite, "image")
        test_story(suite, "image", report)
        test_width(suite, "image")
        test_next(suite, "image")
    print(f"{suite.count} expectations, {suite.failed} not met")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
