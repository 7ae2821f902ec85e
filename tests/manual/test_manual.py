#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual pages tell of every command, option and function, and of no other; and they are laid out as manual pages should be.
The same of the pictures that `invar explain` shows.

usage: test_manual.py SOURCE BUILD INVAR FORGE
"""
import json
import os
import re
import shutil
import subprocess
import sys

failed = []


def same(got, wanted, what):
    """Both sets are told apart in words."""
    for name in sorted(wanted - got):
        failed.append(f"{what}: {name} is missing")
    for name in sorted(got - wanted):
        failed.append(f"{what}: {name} does not exist")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def section(page, name):
    return re.search(rf"^# {name}\n(.*?)(?=^# |\Z)", page, re.MULTILINE | re.DOTALL)[1]


def heads(text):
    """The lines that say what a paragraph is about: those that an indented line follows."""
    return re.findall(r"^(\*.*)\n\t", text, re.MULTILINE)


def help_of(program, *command):
    return subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True).stdout


def options_in(text):
    """Options as help shows them, but for those of other commands in examples."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def options_of_source(text):
    return {f"--{name}" for name in re.findall(r'\{"([a-z-]+)", (?:no|required)_argument', text)}


def choices(text, option, separator):
    """raw, dmp, ... of "--format raw|dmp" or of "*--format* *raw*|*dmp*"."""
    found = re.search(rf"{option}\*? \*?([\w*|-]+)", text)
    return set(found[1].replace("*", "").split(separator)) if found else set()


def check_invar(source, invar):
    page, text = read(source, "docs", "invar.1.scd"), help_of(invar)
    known = options_of_source(read(source, "src", "cli", "main.c"))
    commands = set(re.findall(r"^  ([a-z]+) ", text, re.MULTILINE))
    same(options_in(text), known, "invar --help")
    same(options_in(" ".join(heads(section(page, "OPTIONS")))), known, "OPTIONS of invar.1")
    same({re.match(r"\*([a-z]+)\*", head)[1] for head in heads(section(page, "COMMANDS"))}, commands, "COMMANDS of invar.1")
    for command in commands:
        same(options_in(help_of(invar, command)) - known, set(), f"invar {command} --help")
        if not re.search(rf"\*{command}\*", section(page, "SYNOPSIS")):
            failed.append(f"SYNOPSIS of invar.1: {command} is missing")
    for option in "--format", "--color":
        same(choices(section(page, "OPTIONS"), r"\*" + option, "|"), choices(text, option, "|"), f"{option} in invar.1")


def check_forge(source, forge):
    page, text = read(source, "docs", "invar-forge.1.scd"), help_of(forge)
    known = options_of_source(read(source, "src", "forge", "main.c"))
    same(options_in(text), known, "invar-forge --help")
    same(options_in(" ".join(heads(section(page, "OPTIONS")))), known, "OPTIONS of invar-forge.1")
    formats = set(re.search(r"--format FORMAT +(.*)", text)[1].replace(" (default)", "").split(", "))
    same(choices(section(page, "OPTIONS"), r"\*--format", "|"), formats, "--format in invar-forge.1")


def check_library(source):
    functions = set(re.findall(r"\b(invar_\w+)\(", re.sub(r"//.*", "", read(source, "include", "invar", "invar.h"))))
    described = set(re.findall(r"\*(invar_\w+)\*", " ".join(heads(section(read(source, "docs", "libinvar.3.scd"), "DESCRIPTION")))))
    same(described, functions, "libinvar.3")


def check_pictures(source, invar):
    """Each picture is of an invariant that there is, and fits into a terminal and a page."""
    explained = json.loads(subprocess.run([invar, "explain", "--format", "json"], capture_output=True, check=True).stdout)
    drawn = {row["id"]: row["picture"] for row in explained if row["picture"]}
    same(set(drawn), set(re.findall(r'^    \{"(\w+)",$', read(source, "src", "invariant", "pictures.c"), re.MULTILINE)), "pictures")
    for name, picture in drawn.items():
        for line in picture.splitlines():
            if not line.isascii() or len(line) > 96 or "\t" in line or line != line.rstrip():
                failed.append(f"picture of {name}: {line}")


def check_layout(build):
    """mandoc finds nothing, not even of style."""
    pages = sorted(os.path.join(build, name) for name in os.listdir(build) if re.search(r"\.[1-8]$", name))
    for page in pages:
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "all", page], capture_output=True, text=True, check=False)
        failed.extend((done.stdout + done.stderr).splitlines())
    return len(pages)


def main(source, build, invar, forge):
    check_invar(source, invar)
    check_forge(source, forge)
    check_library(source)
    check_pictures(source, invar)
    linted = shutil.which("mandoc") and check_layout(build)
    for line in failed:
        print(line)
    if failed:
        sys.exit(1)
    if not linted:
        print("mandoc or scdoc is missing: how the pages are laid out was not looked at")
        sys.exit(77)
    print(f"{linted} pages")


if __name__ == "__main__":
    main(*sys.argv[1:])
