#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tells every include that points upward: check_floors.py [ROOT]

The floors of src/, from the lowest to the highest. A file may include headers of its own floor and of those
beneath it. `model` and `forge` write what the other floors read; so that a mistake is not made twice alike, they
may include only what ALONE names.
"""
import os
import re
import sys

FLOORS = ["base", "image", "paging", "facts", "kernel", "nt", "sweep", "witness", "invariant", "check", "report", "cli", "api"]
ALONE = {
    "model": {"base", "facts", "model"},
    "forge": {"base", "facts", "model", "forge"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def allowed(floor):
    if floor in ALONE:
        return ALONE[floor]
    return set(FLOORS[: FLOORS.index(floor) + 1])


def included(path):
    """(line number, name as written) of every include of a file."""
    with open(path, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match.group(1) or match.group(2)


def floor_of(root, path, name):
    """The floor of an included header, or None for one that is not ours (a library's, the system's)."""
    source = os.path.join(root, "src")
    for folder in (os.path.dirname(path), source):
        target = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(target) and os.path.relpath(target, source).count(os.sep):
            return os.path.relpath(target, source).split(os.sep)[0]
    # A header that the build generates does not stand in the source tree: its name tells.
    first = name.split("/")[0]
    return first if "/" in name and (first in FLOORS or first in ALONE) else None


def main(root):
    source = os.path.join(root, "src")
    wrong = files = 0
    for folder, _, names in sorted(os.walk(source)):
        floor = os.path.relpath(folder, source).split(os.sep)[0]
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not name.endswith((".c", ".h", ".def", ".inc")) or floor == os.curdir:
                continue
            if floor not in FLOORS and floor not in ALONE:
                print(f"{os.path.relpath(path, root)}:1: {floor} is not a floor")
                wrong += 1
                continue
            files += 1
            for number, header in included(path):
                other = floor_of(root, path, header)
                if other is not None and other not in allowed(floor):
                    print(f"{os.path.relpath(path, root)}:{number}: {floor} may not include {header}")
                    wrong += 1
    if files == 0:
        print(f"{source}: no C file was found")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    default = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else default))
