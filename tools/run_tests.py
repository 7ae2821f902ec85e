#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a build directory and counts them: run_tests.py BUILD [--suite NAME]... [--no-suite NAME]...

Prints to standard error what meson writes, what failed and what was left out; to standard output one line,
"PASSED FAILED SKIPPED". Meson runs nothing at all when one program is missing; here a test whose program was
not built fails, and the others run. A test program of cmocka can leave out single cases and still succeed; each of
those counts as skipped, so that nothing is left out without being seen.
"""
import argparse
import json
import os
import re
import subprocess
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}
CASE = re.compile(r"^\[  SKIPPED \] (\w+)$", re.MULTILINE)


def tell(text):
    print(f"    {text}", file=sys.stderr)


def count(log):
    """(passed, failed, skipped) of the lines of a testlog.json."""
    passed = failed = skipped = 0
    for line in log:
        test = json.loads(line)
        name, result = test["name"], test["result"]
        if result in PASSED:
            passed += 1
            # cmocka names each case when it leaves it out and again in its summary.
            cases = sorted(set(CASE.findall((test.get("stdout") or "") + (test.get("stderr") or ""))))
            skipped += len(cases)
            for case in cases:
                tell(f"skipped: {name}: {case}")
        elif result in SKIPPED:
            skipped += 1
            tell(f"skipped: {name}")
        else:
            failed += 1
            tell(f"{result.lower()}: {name}")
    return passed, failed, skipped


def choose(tests, suite, no_suite):
    """(names of the tests to run, names of those whose program is missing)."""
    present, missing = [], []
    for test in tests:
        suites = {name.split(":")[-1] for name in test["suite"]}
        if (suite and not suites & set(suite)) or suites & set(no_suite):
            continue
        (present if os.path.exists(test["cmd"][0]) else missing).append(test["name"])
    return present, missing


def run(build, names):
    """(passed, failed, skipped) of these tests."""
    path = os.path.join(build, "meson-logs", "testlog.json")
    if os.path.exists(path):
        os.remove(path)
    # Sanitizers slow programs down, and other work may share the cores.
    command = ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "--timeout-multiplier", "4"]
    status = subprocess.run(command + names, stdout=sys.stderr, check=False).returncode
    if not os.path.exists(path):
        tell(f"meson test in {build} recorded nothing")
        return 0, len(names), 0
    with open(path, encoding="utf-8") as log:
        passed, failed, skipped = count(log)
    # What meson knows to have failed is never lost in the counting.
    return passed, max(failed, 1 if status else 0), skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--suite", action="append", default=[])
    parser.add_argument("--no-suite", action="append", default=[])
    options = parser.parse_args()
    listed = subprocess.run(["meson", "introspect", "--tests", options.build], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        tell(f"{options.build} is not configured")
        print("0 1 0")
        return
    names, missing = choose(json.loads(listed.stdout), options.suite, options.no_suite)
    passed, failed, skipped = run(options.build, names) if names else (0, 0, 0)
    for name in missing:
        tell(f"not built: {name}")
    print(passed, failed + len(missing), skipped)


if __name__ == "__main__":
    main()
