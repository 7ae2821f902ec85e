#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same image gives the same report, byte for byte, whatever the number of threads.

usage: test_threads.py INVAR FORGE SCENARIO...
"""
import os
import re
import subprocess
import sys
import tempfile


def report(invar, image, form, threads):
    done = subprocess.run([invar, "check", "--format", form, "--threads", str(threads), image], capture_output=True,
                          text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{image}: status {done.returncode}: {done.stderr.strip()}")
    return re.sub(r'"seconds": [0-9.e-]+|\([0-9.]+ s\)', "", done.stdout)  # all but the time that it took


def main():
    invar, forge, scenarios = sys.argv[1], sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "image")
        for scenario in scenarios:
            for form in ("raw", "dmp", "lime"):
                subprocess.run([forge, scenario, "-o", image, "--format", form], check=True)
                for output in ("json", "text"):
                    reports = {report(invar, image, output, threads) for threads in (1, 2, 3, 16)}
                    if len(reports) != 1:
                        sys.exit(f"{scenario}, {form}: the report depends on the number of threads")
    print(f"{len(scenarios)} scenarios, 3 formats, 4 numbers of threads: the same report")


if __name__ == "__main__":
    main()
