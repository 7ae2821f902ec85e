#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks one link of a list, at every position, both ways and in several manners, and asks that no process is lost.

usage: check_links.py INVAR FORGE [--kernel KERNEL]

The walk goes on from the other end, so the list itself must still show every process. The break must be reported: as
broken L10, or in the coverage of the witness where nothing stands behind the link; and nobody else may be accused.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

# Each witness and the entry that links its list.
LISTS = {
    "active-list": "_EPROCESS.ActiveProcessLinks",
    "scheduler-list": "_KPROCESS.ProcessListEntry",
    "mm-list": "_EPROCESS.MmProcessLinks",
    "session-list": "_EPROCESS.SessionProcessLinks",
}
# What a link becomes: nothing, an address where nothing is, the entry itself, the entry after the next.
MANNERS = {
    "zero": "0",
    "nowhere": "0xffffdead00000000",
    "itself": "entries[k]",
    "skip": "follow(follow(entries[k]))",
}
SCENARIO = """
local m = desktop()
local all = {find(4), m.smss, m.csrss, m.winlogon, m.explorer, m.notepad, m.cmd}
if "%(witness)s" == "session-list" then
	all = {m.csrss, m.winlogon, m.explorer, m.notepad, m.cmd}
end
local back, k, entries = %(backward)s and 8 or 0, %(position)d, {}
for i, process in ipairs(all) do
	entries[i] = at(process, "%(field)s")
end
local function follow(entry)
	return peek(entry + back)
end
write(entries[k] + back, string.pack("<I8", %(manner)s))
"""


def check(arguments, scratch, witness, position, backward, manner):
    scenario = os.path.join(scratch, "scenario.lua")
    with open(scenario, "w", encoding="utf-8") as file:
        file.write(SCENARIO % {"witness": witness, "backward": "true" if backward else "false", "position": position,
                             "field": LISTS[witness], "manner": MANNERS[manner]})
    image, truth = os.path.join(scratch, "image"), os.path.join(scratch, "truth.json")
    forge = [arguments.forge, scenario, "-o", image, "--truth", truth, "--format", "bitmap-kernel"]
    if arguments.kernel:
        forge += ["--kernel", arguments.kernel]
    made = subprocess.run(forge, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return [f"the forge failed: {made.stderr.strip()}"]
    done = subprocess.run([arguments.invar, "check", "--format", "json", image], capture_output=True, text=True,
                          check=False)
    if not done.stdout:
        return [f"no report, status {done.returncode}: {done.stderr.strip()[:500]}"]
    report = json.loads(done.stdout)
    with open(truth, encoding="utf-8") as file:
        processes = json.load(file)["processes"]
    return problems_of(report, processes, witness)


def problems_of(report, processes, witness):
    shown = {row["address"] for row in report["processes"] if witness in row["seen_by"]}
    found = {row["address"] for row in report["processes"]}
    problems = [f"{row['name']} was not found" for row in processes if row["address"] not in found]
    for row in processes:
        expected = row["name"] != "Idle" and (witness != "session-list" or row["session"] is not None)
        if expected and row["address"] not in shown:
            problems.append(f"{row['name']} is lost from {witness}")
    ids = {finding["id"] for finding in report["findings"]}
    coverage = next(row for row in report["witnesses"] if row["id"] == witness)
    if "L10" not in ids and not coverage["broken"] and not coverage["unreadable"]:
        problems.append("the break is not reported")
    if ids - {"L10"}:
        problems.append(f"also reported: {' '.join(sorted(ids - {'L10'}))}")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("invar")
    parser.add_argument("forge")
    parser.add_argument("--kernel")
    arguments = parser.parse_args()
    runs = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for witness in LISTS:
            for position in range(1, 6 if witness == "session-list" else 8):
                for backward in (False, True):
                    for manner in MANNERS:
                        problems = check(arguments, scratch, witness, position, backward, manner)
                        runs += 1
                        failed += bool(problems)
                        for problem in problems:
                            way = "Blink" if backward else "Flink"
                            print(f"{witness}, {way} of entry {position}, {manner}: {problem}")
    print(f"{runs} breaks, {failed} not as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
