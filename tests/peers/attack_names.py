#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the techniques of src/report/techniques.c with ATT&CK's own list.

usage: attack_names.py CTI

CTI is a clone of github.com/mitre/cti, with or without a work tree. Of each technique: it exists, is neither revoked nor
deprecated, is one of Windows, has this name and these tactics. Without CTI the status is 77.
"""
import json
import os
import re
import subprocess
import sys

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "report", "techniques.c")
FOLDER = "enterprise-attack/attack-pattern/"


def git(repository, *words, **more):
    return subprocess.run(["git", "-C", repository, *words], stdout=subprocess.PIPE, check=True, **more).stdout


def read_objects(repository):
    """Every object of the folder of techniques, by one process of git."""
    rows = [line.split() for line in git(repository, "ls-tree", "HEAD", FOLDER).decode().splitlines()]
    data = git(repository, "cat-file", "--batch", input="".join(row[2] + "\n" for row in rows).encode())
    while data:
        head, rest = data.split(b"\n", 1)
        size = int(head.split()[2])
        yield from json.loads(rest[:size])["objects"]
        data = rest[size + 1:]


def read_list(repository):
    """{identifier: (name, tactics, what is wrong with it)}"""
    known = {}
    for item in read_objects(repository):
        (technique,) = [ref["external_id"] for ref in item["external_references"] if ref["source_name"] == "mitre-attack"]
        faults = [fault for fault in ("revoked", "x_mitre_deprecated") if item.get(fault)]
        if "Windows" not in item.get("x_mitre_platforms", []):
            faults.append("not of Windows")
        tactics = sorted(phase["phase_name"] for phase in item.get("kill_chain_phases", []))
        if technique not in known or not faults:
            known[technique] = (item["name"], tactics, faults)
    return known


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 77
    known = read_list(sys.argv[1])
    with open(SOURCE, encoding="utf-8") as file:
        ours = re.findall(r'\{"(T[0-9.]+)",\s*"([^"]+)",\s*"([^"]+)"\}', file.read())
    failed = 0
    for technique, name, tactics in ours:
        parts = technique.split(".")
        wanted, phases, faults = known.get(technique, ("", [], ["not in the list"]))
        if len(parts) > 1:
            wanted = known[parts[0]][0] + ": " + wanted
        if name != wanted:
            faults = faults + [f"{name!r}, not {wanted!r}"]
        if sorted(tactics.split(", ")) != phases:
            faults = faults + [f"tactics {tactics}, not {phases}"]
        if faults:
            failed += 1
            print(f"{technique}: {'; '.join(faults)}")
    print(f"{len(ours)} techniques compared with {len(known)}, {failed} differ")
    return 1 if failed or not ours else 0


if __name__ == "__main__":
    sys.exit(main())
