#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every module of the page's tooling must run on the oldest Node.js that web/package.json promises, which is that of Debian 12: a
newer one on the developer's machine would not show it.

usage: check_engines.py FOLDER    with package.json and package-lock.json
"""
import json
import re
import sys
from pathlib import Path


def accepts(condition, oldest):
    """Of ">=18", "^18 || >=20", "*": whether one alternative has the version of this number in it."""
    for alternative in condition.split("||"):
        bounds = re.findall(r"([<>=^~]*)\s*v?(\d+)", re.sub(r"(?<=\d)\.[\dx*.]+", "", alternative))
        if all(oldest >= int(number) if sign == ">=" else oldest < int(number) if sign == "<" else oldest == int(number)
               for sign, number in bounds):
            return True
    return False


def main():
    folder = Path(sys.argv[1])
    promised = json.loads((folder / "package.json").read_text(encoding="utf-8"))["engines"]["node"]
    oldest = int(re.fullmatch(r">=(\d+)", promised).group(1))
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wrong = [f"{name} {package['version']} needs Node.js {package['engines']['node']}" for name, package in packages.items()
             if name and "node" in package.get("engines", {}) and not accepts(package["engines"]["node"], oldest)]
    print("\n".join(wrong) or f"{len(packages) - 1} packages run on Node.js {oldest}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
