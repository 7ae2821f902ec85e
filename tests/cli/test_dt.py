#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Structures as 'dt' shows them are what the forge laid out: members, paths through pointers, nested ones, lists, strings.

usage: test_dt.py INVAR FORGE SCENARIO SHARED
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

from test_commands import Suite, named

KERNEL = "10.0.19041.3570"
TABLE = "606FF669409B00F7FC8C61A9C1670129"  # of that kernel's PDB


def by_member(rows):
    return {row["member"]: row for row in rows}


def test_members(suite, truth):
    process = named(truth, "editor.exe")
    rows = by_member(suite.rows("dt", "_EPROCESS", process["address"]))
    suite.same(int(rows["UniqueProcessId"]["value"], 16), process["pid"], "the PID")
    suite.expect(rows["CreateTime"]["means"].startswith("20"), "a time in words")
    suite.same(rows["ImageFileName"]["means"], '"editor.exe"', "the name")
    suite.expect(rows["Token"]["means"].endswith(" left"), "a fast reference")
    suite.same(rows["ObjectTable"]["type"], "pointer to _HANDLE_TABLE", "what a pointer leads to")
    plain = suite.rows("dt", "_EPROCESS")
    suite.same(set(plain[0]), {"offset", "bits", "member", "type"}, "columns without an address")
    one = suite.rows("dt", "_EPROCESS.UniqueProcessId", process["address"])
    suite.same([(row["member"], int(row["value"], 16)) for row in one], [("UniqueProcessId", process["pid"])], "one member")


def test_paths(suite, truth):
    process = named(truth, "editor.exe")
    rows = by_member(suite.rows("dt", "_EPROCESS.Peb->ProcessParameters", process["address"]))
    suite.expect(rows["CommandLine"]["means"].startswith('"') and "editor.exe" in rows["CommandLine"]["means"],
                 f"the command line through two pointers: {rows['CommandLine']}")
    suite.same(rows, by_member(suite.rows("dt", "_EPROCESS.Peb.ProcessParameters", process["address"])), "dots for arrows")
    back = by_member(suite.rows("dt", "_EPROCESS.ObjectTable->QuotaProcess", process["address"]))
    suite.same(int(back["UniqueProcessId"]["value"], 16), process["pid"], "there and back")
    peb = suite.rows("dt", "_EPROCESS.Peb", process["address"])
    base = by_member(peb)["Ldr"]["value"]
    there = suite.rows("dt", "_PEB_LDR_DATA", base, "--process", str(process["pid"]))
    suite.same(int(by_member(there)["Initialized"]["value"], 16), 1, "user memory of a process that is named")
    absent = suite.rows("dt", "_PEB_LDR_DATA", base)
    suite.expect("absent" in absent[0] and absent[0]["value"] is None, "user memory of nobody in particular")
    for wrong in ("_EPROCESS.Nothing", "_EPROCESS.CreateTime->High", "_EPROCESS.ActiveProcessLinks.x.y", "_EPROCESS.Job.ParentJob",
                  ".", ""):
        done = suite.run("dt", suite.image, wrong, process["address"], status=2)
        suite.expect(done.stderr and not done.stdout, f"an error for {wrong!r}")


def test_nested(suite, truth):
    process = named(truth, "editor.exe")
    rows = suite.rows("dt", "_EPROCESS.Peb", process["address"], "--depth", "2", "--follow")
    paths = by_member(rows)
    suite.expect("ProcessParameters->CommandLine" in paths and "Ldr->Initialized" in paths, "what pointers lead to")
    whole = suite.rows("dt", "_EPROCESS", process["address"], "--depth", "16", "--follow")
    circles = [row["member"] for row in whole if row["member"].startswith("ObjectTable->QuotaProcess->ObjectTable->Quota")]
    suite.expect(not circles and len(whole) > 300, f"{len(whole)} rows without a circle")
    for row in rows:
        suite.expect(row["address"].startswith("0x"), f"the address of {row['member']}")
    suite.run("dt", suite.image, "_EPROCESS", "--depth", "17", status=2)


def test_list(suite, truth):
    process = named(truth, "editor.exe")
    rows = suite.rows("dt", "_EPROCESS.UniqueProcessId", process["address"], "--list", "ActiveProcessLinks")
    active = {row["pid"] for row in suite.rows("ps")} - {0}  # the idle process is not on it
    suite.same({int(row["value"], 16) for row in rows}, active, "the active list, its head left out")
    suite.run("dt", suite.image, "_EPROCESS", process["address"], "--list", "CreateTime", status=2)
    suite.run("dt", suite.image, "_EPROCESS", "--list", "ActiveProcessLinks", status=2)
    done = suite.run("dt", suite.image, "_EPROCESS.UniqueProcessId", "0xffffffffffffff00", "--list", "ActiveProcessLinks")
    suite.expect("the list stops" in done.stderr, "a list in memory that is absent")


def test_symbols(suite, truth, table):
    process = named(truth, "editor.exe")
    rows = by_member(suite.rows("dt", "--symbols", table, "_EPROCESS.Pcb", process["address"], "--depth", "1"))
    suite.same(int(rows["Header.Type"]["value"], 16), 3, "a nested member")
    flags = [row["member"] for row in suite.rows("dt", "--symbols", table, "_EPROCESS") if row["offset"] == "0x464"]
    suite.same(flags[0], "Flags", "a union's whole before its bits")
    string = suite.rows("dt", "--symbols", table, "_EPROCESS.Peb->ProcessParameters->ImagePathName", process["address"])
    suite.expect(len(string) == 1 and "editor.exe" in string[0]["means"], f"a string in one line: {string}")
    teb = suite.rows("dt", "--symbols", table, "_KTHREAD.Teb", process["threads"][0]["address"], "--process", str(process["pid"]))
    suite.expect(any(row["member"] == "NtTib" for row in teb), "an untyped pointer by our own list")


def main():
    invar, forge, scenario = map(os.path.abspath, sys.argv[1:4])
    tables = glob.glob(os.path.join(sys.argv[4], "data", "isf", TABLE + "*"))
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(invar, folder)
        truth_path = os.path.join(folder, "truth")
        subprocess.run([forge, scenario, "-o", suite.image, "--memory", "128M", "--truth", truth_path, "--kernel", KERNEL],
                       check=True)
        with open(truth_path, encoding="utf-8") as file:
            truth = json.load(file)
        test_members(suite, truth)
        test_paths(suite, truth)
        test_nested(suite, truth)
        test_list(suite, truth)
        if tables:
            test_symbols(suite, truth, os.path.abspath(tables[0]))
        else:
            print("no symbol table here: structures by one are not tested")
    print(f"{suite.count} expectations, {suite.failed} not met")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
