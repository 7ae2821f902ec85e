#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what `meson test` recorded: results.py TESTLOG.json

Prints to standard error what failed or was left out, and to standard output one line
"PASSED FAILED SKIPPED". A test program of cmocka can leave out single cases and still succeed; each of those
counts as skipped, so that nothing is left out without being seen.
"""
import json
import re
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}
CASE = re.compile(r"^\[  SKIPPED \] (\w+)$", re.MULTILINE)


def main(path):
    passed = failed = skipped = 0
    with open(path, encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            name, result = test["name"], test["result"]
            if result in PASSED:
                passed += 1
                # cmocka names each case when it leaves it out and again in its summary.
                cases = sorted(set(CASE.findall((test.get("stdout") or "") + (test.get("stderr") or ""))))
                skipped += len(cases)
                for case in cases:
                    print(f"    skipped: {name}: {case}", file=sys.stderr)
            elif result in SKIPPED:
                skipped += 1
                print(f"    skipped: {name}", file=sys.stderr)
            else:
                failed += 1
                print(f"    {result.lower()}: {name}", file=sys.stderr)
    print(passed, failed, skipped)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
