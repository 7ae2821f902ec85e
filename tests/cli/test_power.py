#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What 'handles' and 'power' say of handles is what the forge opened.

usage: test_power.py INVAR FORGE SCENARIO
"""
import json
import os
import subprocess
import sys
import tempfile

failed = 0


def same(got, wanted, what):
    global failed
    if got != wanted:
        failed += 1
        print(f"{what}: {got} instead of {wanted}")


def rows(invar, image, *arguments):
    done = subprocess.run([invar, arguments[0], "--format", "json", image, *arguments[1:]], capture_output=True, text=True,
                          check=True, timeout=120)
    return json.loads(done.stdout)


def test_power(invar, image, truth):
    every = rows(invar, image, "power")
    short = [(row["name"], row["does"], row["target"], row["crosses"]) for row in every]
    same(short[0], ("services.exe", "takes over", "lsass.exe", "protection"), "the first")
    chains = {row["name"]: row["chain"] for row in every if row["chain"]}
    same(chains["cmd.exe"].split(" > ")[1].split()[1], "lsass.exe", "the end of a chain")
    same(short.index(("cmd.exe", "takes over", "services.exe", "session")) <
         short.index(("notepad.exe", "takes over", "away.exe", "session")), True, "chains come first")
    same(("notepad.exe", "reads", "explorer.exe", "") in short, True, "one who reads")
    same(("notepad.exe", "controls", "winlogon.exe", "") in short, True, "one who stops threads")
    same(("explorer.exe", "keeps", "gone.exe", "") in short, True, "who keeps a zombie")
    same([row["target"] for row in every if row["name"] == "no handle"], ["kept.exe"], "a zombie without handles")
    same([row for row in every if row["name"] == "cmd.exe" and row["target"] == "lsass.exe"], [], "rights that everybody has")
    pid = next(row["pid"] for row in truth["processes"] if row["name"] == "lsass.exe")
    of_one = rows(invar, image, "power", str(pid))
    same({row["target"] for row in of_one} | {row["name"] for row in of_one}, {"lsass.exe", "services.exe"}, "of one")


def test_rights(invar, image, truth):
    got = {(row["pid"], row["handle"]): row for row in rows(invar, image, "handles")}
    count = 0
    for process in truth["processes"]:
        for handle in process.get("handles", []):
            row = got[process["pid"], hex(handle["value"])]
            same((int(row["access"], 16), row["object"]), (handle["access"], handle["object"]), "a handle")
            count += 1
    same(count, len(got), "handles")
    rights = {(row["type"], row["access"]): row["rights"] for row in got.values()}
    same(rights["Event", "0x100002"], "MODIFY_STATE, SYNCHRONIZE", "rights to an event")
    same(rights["Token", "0xa"], "DUPLICATE, QUERY", "rights to a token")
    same(rights["Process", "0x1fffff"], "all", "all rights")
    same(rights["Thread", "0x2"], "SUSPEND_RESUME", "rights to a thread")
    targets = {(row["name"], row["type"], row["target"], row["state"]) for row in got.values()}
    pid = next(row["pid"] for row in truth["processes"] if row["name"] == "gone.exe")
    same(("explorer.exe", "Process", f"{pid} gone.exe", "zombie") in targets, True, "a handle to a zombie")
    same([target for _, kind, target, _ in targets if kind == "File"], ["\\Device\\HarddiskVolume3\\Users\\user\\letter.txt"],
         "the name of a file, with its device")
    same([target for _, kind, target, _ in targets if kind == "Job"], ["Compilers"], "the name of an object")
    same([target for _, kind, target, _ in targets if kind == "Event"], [None], "an object without one")


def main():
    invar, forge, scenario = map(os.path.abspath, sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        image, path = os.path.join(folder, "image"), os.path.join(folder, "truth")
        subprocess.run([forge, scenario, "-o", image, "--memory", "128M", "--truth", path], check=True)
        with open(path, encoding="utf-8") as file:
            truth = json.load(file)
        test_power(invar, image, truth)
        test_rights(invar, image, truth)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
