#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over the project's C files, in parallel, and remembers what was clean.

tidy.py [--cache FILE] [--jobs N] [--nodes N] BUILD_DIR...

Each BUILD_DIR holds a compile_commands.json; a file is checked as the first of them compiles it. A file is
checked again when it, a header of the project that it includes (as the compiler says, with generated ones), its
compile command, .clang-tidy or clang-tidy itself has changed. Only clean files are remembered. With --nodes the static analyzer
follows no more than so many states of each function: most of its time goes into the last few of them.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def commands(build_dirs):
    """{source: (build directory, folder to compile in, arguments)} of the files in the source tree."""
    found = {}
    for build in build_dirs:
        database = os.path.join(build, "compile_commands.json")
        if not os.path.exists(database):
            continue
        with open(database, encoding="utf-8") as text:
            for entry in json.load(text):
                source = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
                inside = os.path.relpath(source, ROOT)
                if inside.split(os.sep)[0] in (os.pardir, "build") or not source.endswith(".c"):
                    continue
                found.setdefault(source, (build, entry["directory"], shlex.split(entry["command"])))
    return found


def dependencies(folder, arguments):
    """The source and the headers of the project that it includes."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in ("-o", "-MF", "-MQ", "-MT"):
            skip = True
        elif argument not in ("-c", "-MD", "-MMD"):
            kept.append(argument)
    rule = subprocess.run(kept + ["-MM"], cwd=folder, capture_output=True, text=True, check=False)
    if rule.returncode != 0:
        return None
    names = shlex.split(rule.stdout.split(":", 1)[1].replace("\\\n", " "))
    return sorted(os.path.normpath(os.path.join(folder, name)) for name in names)


def fingerprint(base, folder, arguments):
    """None if it cannot be told; then the file is checked."""
    names = dependencies(folder, arguments)
    if names is None:
        return None
    digest = hashlib.sha256(base)
    digest.update("\0".join(arguments).encode())
    for name in names:
        digest.update(name.encode())
        with open(name, "rb") as content:
            digest.update(hashlib.sha256(content.read()).digest())
    return digest.hexdigest()


def check(source, build, nodes):
    bound = ["-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={nodes}"] if nodes else []
    run = subprocess.run(["clang-tidy", "--quiet", "-p", build, *(f"--extra-arg={word}" for word in bound), source],
                         capture_output=True, text=True, check=False)
    # What it counts among suppressed warnings goes to standard error; a failure to run goes there too.
    return run.returncode == 0, run.stdout + (run.stderr if run.returncode != 0 else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", default=os.path.join(ROOT, "build", "tidy.json"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--nodes", type=int, default=0)
    parser.add_argument("build", nargs="+")
    options = parser.parse_args()

    try:
        with open(options.cache, encoding="utf-8") as text:
            clean = json.load(text)
    except (OSError, ValueError):
        clean = {}
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    with open(os.path.join(ROOT, ".clang-tidy"), "rb") as config:
        base = version + config.read() + str(options.nodes).encode()

    files = commands(options.build)
    if not files:
        print("clang-tidy: no compile_commands.json was found", file=sys.stderr)
        return 1

    def one(item):
        source, (build, folder, arguments) = item
        mark = fingerprint(base, folder, arguments)
        if mark is not None and clean.get(source) == mark:
            return source, mark, True, "", False
        good, output = check(source, build, options.nodes)
        return source, mark, good, output, True

    checked = bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for source, mark, good, output, ran in pool.map(one, sorted(files.items())):
            checked += ran
            if good and mark is not None:
                clean[source] = mark
            if not good:
                clean.pop(source, None)
                bad += 1
                print(output, end="")
    os.makedirs(os.path.dirname(options.cache), exist_ok=True)
    with open(options.cache, "w", encoding="utf-8") as text:
        json.dump({source: mark for source, mark in clean.items() if source in files}, text, indent=1)
    print(f"clang-tidy: {len(files)} files, {checked} checked now, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
