#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the image of every attacked machine while it runs, with processes that start meanwhile.

usage: check_smear.py INVAR FORGE [SCENARIO...]

What the scenario breaks must still be reported, and nobody else accused. Only a lie about what changes from one moment to the
next (counts, states, what runs) may be taken for smear, and then it must be excused as such or unknown: never silent.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

import run

# What these forge is a header that an image of a running machine has not got, the acquisition itself, a register that the next
# thread switch overwrites, or a birth later than those that follow here.
LEFT_OUT = {"attack-header-head", "attack-kdbg-head", "attack-smear", "attack-smear-hidden", "attack-cr3",
            "attack-threadless-new", "attack-session-logon-record", "attack-only-subsystems"}
LIFE = """
acquire(0)
for i = 1, 10 do
    local p = made_here{name = "new" .. i .. ".exe", parent = find(4), threads = 2}
    open(find(4), p)
    acquire(10 * i)
end
"""


def volatile(invar):
    """The invariants of which the two sides may be of different moments. Jobs come and go, and are not tracked; nor is what a process
    gives back when it exits: its record with csrss, its place in a silo, its timers and subscriptions."""
    listed = subprocess.run([invar, "explain", "--format", "json"], capture_output=True, text=True, check=True)
    return {row["id"] for row in json.loads(listed.stdout) if row["smear"] == "state"} | {"S01", "S10", "S11", "S12"}


def check_one(arguments, name):
    folder = os.path.join(run.HERE, name)
    expect = run.Expectation(os.path.join(folder, "expect"))
    with tempfile.TemporaryDirectory() as scratch:
        script, image, truth = (os.path.join(scratch, part) for part in ("scenario.lua", "image", "truth"))
        with open(os.path.join(folder, "scenario.lua"), encoding="utf-8") as file:
            text = "local made_here = process\n" + file.read() + LIFE
        with open(script, "w", encoding="utf-8") as file:
            file.write(text)
        kernel = run.default_for(arguments, name)
        made = subprocess.run([arguments.forge, script, "-o", image, "--truth", truth,
                               *(["--kernel", kernel["guid"]] if kernel else [])], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            return [f"the forge failed: {made.stderr.strip()}"], 0
        checked = subprocess.run([arguments.invar, "check", "--format", "json", image], capture_output=True, text=True,
                                 check=False)
        if not checked.stdout:
            return [f"no report, status {checked.returncode}: {checked.stderr.strip()[:500]}"], 0
        report = json.loads(checked.stdout)
        with open(truth, encoding="utf-8") as file:
            truth = json.load(file)
    return compare(expect, report, truth, arguments.volatile)


def compare(expect, report, truth, changing):
    """Problems, and how many of the broken invariants were reported."""
    declared = {broken for attack in truth["attacks"] for broken in attack["breaks"]}
    found = {finding["id"] for finding in report["findings"]}
    seen = found | {observation["id"] for observation in report["observations"]}
    smeared = {row["id"] for row in report["excused"] if row["exception"] == "smear"}
    unknown = {row["id"] for row in report["unknown"]}
    problems = []
    if not report["smear"]["live"]:
        problems.append(f"taken for an image of one instant: {report['smear']['why']}")
    for broken in sorted(declared - seen):
        if broken not in changing:
            problems.append(f"{broken} is not reported")
        elif broken not in smeared | unknown:
            problems.append(f"{broken} is neither reported nor excused nor unknown")
    problems += [f"{extra} is reported" for extra in sorted(found - declared - expect.broken - expect.may)]
    problems += run.accusation_problems(expect, report, truth)
    return problems, len(declared & seen)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("invar")
    parser.add_argument("forge")
    parser.add_argument("scenarios", nargs="*")
    arguments = parser.parse_args()
    arguments.volatile = volatile(arguments.invar)
    names = arguments.scenarios or sorted(name for name in os.listdir(run.HERE)
                                          if name.startswith("attack-") and name not in LEFT_OUT)
    wrong = reported = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for name, (problems, count) in zip(names, workers.map(lambda name: check_one(arguments, name), names)):
            for problem in problems:
                print(f"{name}: {problem}")
            wrong += bool(problems)
            reported += count
    print(f"{len(names)} attacked machines that ran meanwhile, {reported} of their lies reported, {wrong} not as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
