#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real crash dumps against what is known of them.

usage: check_dumps.py INVAR SHARED

INVAR_SHARED in the environment takes the place of SHARED.

Every value of SHARED/samples/dumps/facts.json must come out of the program, and the module lists of the debugger
transcripts beside the dumps. No dump may have a broken invariant: these machines crashed for reasons of their own.
Exits 77 (skipped) when the dumps are not there.
"""
import json
import os
import re
import subprocess
import sys

SKIPPED = 77


class Failures:
    """Counts comparisons and says which failed."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def equal(self, where, what, expected, found):
        self.count += 1
        if expected != found:
            self.failed += 1
            print(f"{where}: {what}: expected {expected!r}, found {found!r}")


def run(invar, *arguments):
    """The JSON a command prints, its exit status, and what it said."""
    done = subprocess.run([invar, *arguments, "--format", "json"], capture_output=True, text=True, check=False)
    parsed = json.loads(done.stdout) if done.stdout else None
    return parsed, done.returncode, done.stderr


def number(text):
    return int(text, 16) if isinstance(text, str) else text


def time_of(text):
    """ISO 8601 of the program in the form of facts.json: microseconds, rounded down."""
    return text and text.rstrip("Z").replace("T", " ")[:26]


def same_time(expected, found):
    """facts.json rounds to microseconds by way of a double; the program is exact."""
    if expected is None or found is None:
        return expected == found
    def seconds(text):
        day, clock = text.split(" ")
        hours, minutes, rest = clock.split(":")
        return day, int(hours) * 3600 + int(minutes) * 60 + float(rest)
    (day_a, a), (day_b, b) = seconds(expected), seconds(found)
    return day_a == day_b and abs(a - b) < 2e-6


def clue(info, anchor, way):
    for row in info["kernel"]["clues"]:
        if row["anchor"] == anchor and row["way"] == way and row["value"]:
            return number(row["value"])
    return None


def check_header(check, name, facts, info):
    kernel, image = info["kernel"], info["image"]
    check.equal(name, "build", facts["build"], kernel["build"])
    check.equal(name, "machine", {"0x8664": "x64", "0xaa64": "arm64"}[facts["machine"]], kernel["arch"])
    check.equal(name, "bytes", facts["size"], image["bytes"])
    check.equal(name, "CPUs", facts["cpus"], image["header"]["cpus"])
    check.equal(name, "bug check", number(facts["bugcheck"]), number(image["header"]["bugcheck"]))
    check.equal(name, "DTB of the header", number(facts["header_dtb"]), clue(info, "DirectoryTableBase", "header"))
    for way in ("header", "KDBG"):
        check.equal(name, f"PsActiveProcessHead by {way}", number(facts["PsActiveProcessHead"]),
                    clue(info, "PsActiveProcessHead", way))
    check.equal(name, "PspCidTable", number(facts["kdbg_PspCidTable"]), clue(info, "PspCidTable", "KDBG"))
    check.equal(name, "KernBase", number(facts["kdbg_KernBase"]), clue(info, "kernel base", "KDBG"))
    check.equal(name, "kernel base", number(facts["nt_base"]), number(kernel["base"]))
    check.equal(name, "kernel size", number(facts["nt_size"]), kernel["size"])
    check.equal(name, "data blocks", facts["blocks"], image["triage"]["fragments"])
    check.equal(name, "bytes in data blocks", facts["block_bytes"], image["triage"]["fragment_bytes"])
    if facts["kernel_version"]:
        check.equal(name, "version", facts["kernel_version"], kernel["version"])
    check.equal(name, "system time", True, same_time(facts["systime"], time_of(kernel["system_time"])))
    for key in ("SizeEProcess", "SizeEThread", "SizePrcb", "OffsetEprocessPeb", "OffsetEprocessParentCID",
                "OffsetEprocessDirectoryTableBase"):
        check.equal(name, "KDBG " + key, facts["kdbg_" + key], kernel["kdbg"][key])


def field(dossier, name):
    for row in dossier["fields"]:
        if row["field"] == name:
            return number(row["value"])
    return None


def check_process(check, name, facts, invar, path):
    address = facts.get("eprocess_va")
    if not address:
        return
    dossier, status, said = run(invar, "process", path, address)
    check.equal(name, "status of 'process'", (0, ""), (status, said))
    check.equal(name, "PID", facts["pid"], dossier["pid"])
    check.equal(name, "parent", facts["ppid"], dossier["ppid"])
    check.equal(name, "name", facts["name"], dossier["name"])
    expected = {"_EPROCESS.ActiveThreads": facts["threads"], "_EPROCESS.ObjectTable": number(facts["ObjectTable"]),
                "_EPROCESS.ActiveProcessLinks": number(facts["Flink"]), "_EPROCESS.Peb": number(facts["Peb"]),
                "_EPROCESS.Win32Process": number(facts["Win32Process"]), "_EPROCESS.Session": number(facts["Session"]),
                "_KPROCESS.DirectoryTableBase": number(facts["dtb"])}
    for key, value in expected.items():
        check.equal(name, key, value, field(dossier, key))
    rows = {row["field"]: row["value"] for row in dossier["fields"]}
    check.equal(name, "create time", True, same_time(facts["create"], time_of(rows["_EPROCESS.CreateTime"])))
    check.equal(name, "exit time", facts["exit"], time_of(rows["_EPROCESS.ExitTime"]))
    threads, status, _ = run(invar, "threads", path, str(facts["cid"][0]))
    identifiers = [row["tid"] for row in threads if row["process"] == facts["thread_process"]]
    check.equal(name, "thread identifier", True, facts["cid"][1] in identifiers)


def check_list(check, name, facts, invar, path):
    """Where PsActiveProcessHead was captured, the first and last entries."""
    if "head_flink" not in facts:
        return
    info, _, _ = run(invar, "info", path)
    head = info["kernel"]["active_list"]
    check.equal(name, "first entry of the list", number(facts["head_flink"]), number(head["flink"]))
    check.equal(name, "last entry of the list", number(facts["head_blink"]), number(head["blink"]))
    if "head_flink_minus_links" in facts:
        check.equal(name, "first process of the list", number(facts["head_flink_minus_links"]),
                    number(head["first_process"]))


def check_name(check, name, facts, invar, path):
    if "eprocess_va" in facts or "name" not in facts:
        return
    processes, _, _ = run(invar, "ps", path)
    check.equal(name, "process name", True, facts["name"] in [row["name"] for row in processes])


def check_modules(check, name, invar, path):
    transcript = path.replace(".dmp", ".windbg-modules.txt")
    if not os.path.exists(transcript):
        return
    expected = set()
    with open(transcript, encoding="utf-8", errors="replace") as file:
        for line in file:
            row = re.match(r"([0-9a-f`]{17})\s+([0-9a-f`]{17})\s+\S+\s+(\S+)\s.*?([0-9A-F]{8})[ )]", line)
            if row:
                begin, end = (int(part.replace("`", ""), 16) for part in row.group(1, 2))
                expected.add((begin, end, int(row.group(4), 16)))
    check.equal(name, "transcript has modules", True, len(expected) > 100)
    modules, _, _ = run(invar, "modules", path)
    found = {(number(row["base"]), number(row["end"]), number(row["time stamp"])) for row in modules}
    check.equal(name, "modules missing", set(), expected - found)
    check.equal(name, "modules too many", set(), found - expected)


def check_verdicts(check, name, invar, path):
    report, status, said = run(invar, "check", path)
    check.equal(name, "findings", [], [finding["id"] for finding in report["findings"]])
    check.equal(name, "status of 'check'", (0, ""), (status, said))
    summary = report["summary"]
    check.equal(name, "some invariants hold", True, summary["holds"] > 0)
    check.equal(name, "every unknown has a reason", [],
                [row["id"] for row in report["unknown"] if sum(row["reasons"].values()) != row["count"]])
    print(f"{name}: {summary['holds']} hold, {summary['broken']} broken, {summary['excused']} excused, "
          f"{summary['unknown']} unknown")


def main():
    invar, shared = sys.argv[1], os.environ.get("INVAR_SHARED") or sys.argv[2]
    folder = os.path.join(shared, "samples", "dumps")
    if not os.path.exists(os.path.join(folder, "facts.json")):
        print(f"skipped: there are no dumps in {folder}")
        return SKIPPED
    check = Failures()
    with open(os.path.join(folder, "facts.json"), encoding="utf-8") as file:
        dumps = json.load(file)
    for facts in dumps:
        name = facts["file"]
        path = os.path.join(folder, name)
        info, status, said = run(invar, "info", path)
        check.equal(name, "status of 'info'", (0, ""), (status, said))
        check_header(check, name, facts, info)
        check_process(check, name, facts, invar, path)
        check_list(check, name, facts, invar, path)
        check_name(check, name, facts, invar, path)
        check_modules(check, name, invar, path)
        check_verdicts(check, name, invar, path)
    print(f"{check.count} comparisons over {len(dumps)} dumps, {check.failed} differ")
    return 1 if check.failed or not dumps else 0


if __name__ == "__main__":
    sys.exit(main())
