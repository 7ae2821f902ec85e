#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lays out lives of the model, by chance and stopped by chance, and requires that nothing is found in them.

usage: check_lives.py INVAR FORGE [--seeds N] [--first SEED] [--builds BUILD,...] [--every]

Each seed is a machine on which 20 to 700 operations were begun; up to three of them are half done. By default each seed is
laid out for one of the builds in turn, with --every for all of them. What is reported of an honest machine is a mistake: of the
forge, of the model, or of an invariant's exceptions.
"""
import argparse
import concurrent.futures
import os
import sys
import tempfile
import types

import run


def check_life(arguments, seed, build):
    """What is wrong with the life of this seed on a kernel of this build, and the excuses that it needed."""
    expect = types.SimpleNamespace(format="raw", accuses=set())
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "scenario.lua"), "w", encoding="ascii") as file:
            file.write(f"live{{operations = {20 + seed * 7 % 680}}}\nclean()\n")
        options = ["--seed", str(seed), "--kernel", build]
        problems, report, _ = run.check_image(arguments, folder, expect, options)
    if report is None:
        return problems, set()
    problems += [f"{finding['id']} is reported" for finding in report["findings"]]
    return problems, {(row["id"], row["exception"]) for row in report["excused"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("invar")
    parser.add_argument("forge")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--builds", default="7601,9600,14393,17763,18362,19041,20348,22000")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--format")
    arguments = parser.parse_args()
    builds = arguments.builds.split(",")
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    jobs = [(seed, build) for seed in seeds for build in (builds if arguments.every else [builds[seed % len(builds)]])]
    failed, excuses = 0, set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for (seed, build), (problems, used) in zip(jobs, workers.map(lambda job: check_life(arguments, *job), jobs)):
            failed += bool(problems)
            excuses |= used
            for problem in problems:
                print(f"seed {seed} on {build}: {problem}")
    print(f"{len(jobs)} lives, {failed} not clean; excused: {', '.join(' '.join(pair) for pair in sorted(excuses))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
