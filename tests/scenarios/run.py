#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forges the scenarios of this folder and compares the verdicts with what each expects.

usage: run.py INVAR FORGE [--kernels one|layouts|every] [--format FORMAT] [--matrix FILE] [SCENARIO...]

A scenario is a folder with scenario.lua and expect. A line of expect is one of

    status N             the exit status of 'invar check'
    broken ID            a finding with this identifier; all others must be allowed by 'may' or 'broken'
    observed ID          an observation with this identifier; all others must be allowed by 'may' or 'observed'
    may ID               a finding or observation that the same lie also causes
    holds ID             at least one verdict "holds"
    excused ID NAME      at least one verdict "excused", by this exception
    unknown ID           at least one verdict "unknown"
    sees WITNESS         the witness has sightings
    format NAME          the image format to forge (raw)
    since BUILD          kernels of older builds lack what the scenario lies about
    until BUILD          and those of newer builds
    accuses NAME         a finding may also name this process, which nobody lied about
    seeds N              forge it N times, with the seeds 1 to N; what must hold, be excused or unknown need be so in one

Without 'broken' or 'may' lines no finding is allowed. A finding that names a process or thread must name one that the
scenario lied about, by one of the forge's attacks or by what stands before breaks(); what breaks() declares must be found of
that very process, or of what is no process or thread. With --kernels layouts, one kernel of every layout is forged; with
spread, a third of these for what nobody lies in and a ninth for each lie, each scenario others; with every, each kernel of the
table. --matrix writes two tables in Markdown: which invariants were broken by which lie on which build,
and which witnesses still saw the attacked processes there, or should have and did not.
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
NO_BUILD = 1 << 16  # beyond all
PARTIES = ("process", "thread")  # subjects of findings that are somebody's
MEMORY_ROOM = 4 << 30  # bytes that must be free in memory for the images to be forged there


class Expectation:
    """What the file 'expect' of a scenario says."""

    def __init__(self, path):
        self.status = 0
        self.format = "raw"
        self.since = 0
        self.until = NO_BUILD
        self.seeds = 0
        self.accuses = set()
        self.broken, self.may, self.holds, self.unknown = set(), set(), set(), set()
        self.excused, self.sees, self.observed = set(), set(), set()
        with open(path, encoding="utf-8") as file:
            for line in file:
                words = line.split("#")[0].split()
                if words:
                    self.add(words[0], words[1:], path)

    def add(self, word, rest, path):
        if word in ("status", "since", "until", "seeds"):
            setattr(self, word, int(rest[0]))
        elif word == "format":
            self.format = rest[0]
        elif word == "excused":
            self.excused.add(tuple(rest))
        elif word in ("broken", "may", "holds", "unknown", "accuses", "sees", "observed"):
            getattr(self, word).add(rest[0])
        else:
            sys.exit(f"{path}: unknown word '{word}'")


def compare(expect, report, status):
    """What is not as expected, in words."""
    found = {finding["id"] for finding in report["findings"]}
    excused = {(row["id"], row["exception"]) for row in report["excused"]}
    problems = []
    if status != expect.status:
        problems.append(f"status {status} instead of {expect.status}")
    problems += [f"{name} is not reported" for name in sorted(expect.broken - found)]
    problems += [f"{name} is reported" for name in sorted(found - expect.broken - expect.may)]
    observed = {row["id"] for row in report["observations"]}
    problems += [f"{name} is not observed" for name in sorted(expect.observed - observed)]
    problems += [f"{name} is observed" for name in sorted(observed - expect.observed - expect.may)]
    problems += [f"{name} does not hold anywhere" for name in sorted(expect.holds - set(report["summary"]["held"]))]
    problems += [f"{' '.join(pair)} is not excused" for pair in sorted(expect.excused - excused)]
    unknown = {row["id"] for row in report["unknown"]}
    problems += [f"{name} is not unknown" for name in sorted(expect.unknown - unknown)]
    seeing = {row["id"] for row in report["witnesses"] if row["sightings"]}
    problems += [f"{name} sees nothing" for name in sorted(expect.sees - seeing)]
    return problems


def truth_problems(expect, report, truth):
    """Every process that the forge made is found; where nobody lies, no other is, and its PID and name are right."""
    made = {row["address"]: (row["pid"], row["name"][:14]) for row in truth["processes"]}
    found = {row["address"]: (row["pid"], row["name"]) for row in report["processes"]}
    freed = {row["address"] for row in truth["processes"] if row["state"] == "freed"}  # may be overwritten
    # Before creation has got to the address space, nothing but a block of pool shows the object.
    shapeless = {row["address"] for row in truth["processes"] if row["state"] == "allocated"}
    problems = []
    if not truth["live"]:  # else what was born late may stand in no page that was read
        problems = [f"process {made[address]} was not found" for address in sorted(made.keys() - found.keys() - shapeless)]
    if truth["clean"] and not truth["live"]:
        problems += [f"process {found[address]} was never made" for address in sorted(found.keys() - made.keys())]
        problems += [f"process {made[address]} was found as {found[address]}"
                     for address in sorted(made.keys() & found.keys() - freed) if made[address] != found[address]]
    owner, seen = owners(truth), {}
    for finding in report["findings"] + report["observations"]:
        process = owner.get(finding["subject"]["address"]) if finding["subject"]["kind"] in PARTIES else None
        seen.setdefault(finding["id"], []).append(process)
    for attack in truth["attacks"]:
        name = owner[attack["process"]]["name"] if attack["process"] in owner else None
        for broken in attack["breaks"]:
            # Of the machine, of this process, or of one that may be named in its place.
            if not any(name is None or process is None or process["address"] == attack["process"] or
                       process["name"] in expect.accuses for process in seen.get(broken, [])):
                problems.append(f"{broken}, which the scenario breaks of {name or 'the machine'}, is not reported")
    return problems


def owners(truth):
    """The process of each process and thread object, by address."""
    owner = {row["address"]: row for row in truth["processes"]}
    return owner | {thread["address"]: row for row in truth["processes"] for thread in row["threads"]}


def accusation_problems(expect, report, truth):
    """Nobody else is accused: findings about processes and threads name those that were lied about."""
    owner = owners(truth)
    attacked = set(truth["attacked"]) | {attack["process"] for attack in truth["attacks"]}
    problems = set()
    for finding in report["findings"] + report["observations"]:
        subject = finding["subject"]
        process = owner.get(subject["address"])
        if subject["kind"] not in PARTIES or not process:
            continue
        if process["address"] not in attacked and process["name"] not in expect.accuses:
            problems.add(f"{finding['id']} accuses the {subject['kind']} of {process['name']}, which nobody attacked")
    return sorted(problems)


def sightings(report, truth):
    """What the witnesses say of each process that was attacked: (those that see it, those that should and do not)."""
    attacked = {attack["process"] for attack in truth["attacks"]} - {None}
    return [(set(row["seen_by"]), set(row["missing_from"])) for row in report["processes"] if row["address"] in attacked]


def merge(reports):
    """Of several images of one scenario: what was seen in any."""
    parts = ("attacked", "witnesses", "findings", "observations", "excused", "unknown")
    joined = {key: [row for report in reports for row in report[key]] for key in parts}
    return joined | {"summary": {"held": [name for report in reports for name in report["summary"]["held"]]}}


def scratch_room():
    """Where images are forged: in memory if there is room, for that is half again as fast; else where Python puts such files."""
    memory = "/dev/shm"
    if not os.environ.get("TMPDIR") and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= MEMORY_ROOM:
        return memory
    return None


def check_image(arguments, folder, expect, options):
    """Problems, the report and the status of one image; the report is None if there is none."""
    with tempfile.TemporaryDirectory(dir=scratch_room()) as scratch:
        image, truth = os.path.join(scratch, "image"), os.path.join(scratch, "truth.json")
        forge = [arguments.forge, os.path.join(folder, "scenario.lua"), "-o", image, "--truth", truth, "--format",
                 arguments.format or expect.format] + options
        made = subprocess.run(forge, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            return [f"the forge failed: {made.stderr.strip()}"], None, 0
        checked = subprocess.run([arguments.invar, "check", "--format", "json", image], capture_output=True, text=True,
                                 check=False)
        if not checked.stdout:
            return [f"no report, status {checked.returncode}: {checked.stderr.strip()[:2000]}"], None, 0
        report = json.loads(checked.stdout)
        with open(truth, encoding="utf-8") as file:
            truth = json.load(file)
        report["attacked"] = sightings(report, truth)
        return truth_problems(expect, report, truth) + accusation_problems(expect, report, truth), report, checked.returncode


def run_one(arguments, folder, kernel):
    """What is not as expected (None: not for this kernel), and what was found (None: no report): the identifiers of all findings, and
    what the witnesses say of the attacked processes."""
    expect = Expectation(os.path.join(folder, "expect"))
    options = []
    if kernel:
        if not expect.since <= build_of(kernel["version"]) <= expect.until:
            return None, None
        options = ["--kernel", kernel["guid"]]
    problems, reports, worst = [], [], 0
    for seed in range(1, expect.seeds + 1) if expect.seeds else [0]:
        more, report, status = check_image(arguments, folder, expect, options + (["--seed", str(seed)] if seed else []))
        problems += [f"seed {seed}: {problem}" if seed else problem for problem in more]
        if report is None:
            return problems, None
        reports.append(report)
        worst = max(worst, status)
    merged = merge(reports)
    broken = {finding["id"] for finding in merged["findings"]}
    found = broken | {f"({row['id']})" for row in merged["observations"] if row["id"] not in broken}, merged["attacked"]
    return compare(expect, merged, worst) + problems, found


# On a spread of kernels, a clean scenario is forged for every third layout and an attack for every ninth, each scenario for others.
CLEAN_STEP, ATTACK_STEP = 3, 9


def jobs_of(arguments, names):
    """(scenario, kernel) of every image."""
    if arguments.kernels == "one":
        return [(name, default_for(arguments, name)) for name in names]
    chosen, jobs = kernels(arguments), []
    for number, name in enumerate(names):
        step = 1 if arguments.kernels != "spread" else ATTACK_STEP if name.startswith("attack-") else CLEAN_STEP
        jobs += [(name, kernel) for place, kernel in enumerate(chosen) if place % step == number % step]
    return jobs


def build_of(version):
    return int(version.split(".")[2])


def default_for(arguments, name):
    """None for the forge's own choice of a kernel; the newest that the scenario is for, if it is not for all."""
    expect = Expectation(os.path.join(HERE, name, "expect"))
    if (expect.since, expect.until) == (0, NO_BUILD):
        return None
    fit = [(build_of(version), version, guid) for version, guid, _ in listed_kernels(arguments)
           if expect.since <= build_of(version) <= expect.until]
    return {"version": max(fit)[1], "guid": max(fit)[2]} if fit else None


def listed_kernels(arguments):
    """(version, identifier, layout) of every kernel that can be forged."""
    listed = subprocess.run([arguments.forge, "--list", "kernels"], capture_output=True, text=True, check=True)
    return [line.split()[:3] for line in listed.stdout.splitlines()]


def kernels(arguments):
    """One kernel of every layout, or all of them."""
    rows = listed_kernels(arguments)
    if arguments.kernels == "every":
        return [{"version": version, "guid": guid} for version, guid, _ in rows]
    chosen = {}
    for version, guid, layout in rows:
        chosen.setdefault(layout, {"version": version, "guid": guid})
    return list(chosen.values())


def rows_of(results, cell):
    """{scenario: {build: set}} of what `cell` takes from each result, and the builds in their order."""
    rows, builds = {}, []
    for name, kernel, _, found in results:
        build = kernel["version"].split(".")[2] if kernel else "default"
        if build not in builds:
            builds.append(build)
        if found is not None and name.startswith("attack-"):
            rows.setdefault(name, {}).setdefault(build, set()).update(cell(found))
    return rows, builds


def write_table(file, rows, builds):
    file.write("| lie | " + " | ".join(builds) + " |\n|" + " --- |" * (len(builds) + 1) + "\n")
    for name, row in sorted(rows.items()):
        # What is only observed stands in brackets, behind what is broken.
        shown = [" ".join(sorted(row[build], key=lambda name: (name[0] == "(", name))) if build in row else "-"
                 for build in builds]
        # Most lies break the same everywhere: what repeats the column before is left out.
        shown = [text if i == 0 or text != shown[i - 1] else "〃" for i, text in enumerate(shown)]
        file.write("| " + " | ".join([name.removeprefix("attack-")] + shown) + " |\n")


def seen_and_missing(found):
    """Witnesses that see every attacked process, and with a minus those that should see one and do not."""
    _, attacked = found
    seen = set.intersection(*(seen for seen, _ in attacked)) if attacked else set()
    return seen | {f"−{name}" for _, missing in attacked for name in missing}


def is_about_lists(name):
    """Whether an invariant is about the existence of processes and threads rather than about what is in them."""
    return name[0] in "LXS" or name in ("M01", "M02", "M04", "T01", "T02", "T03", "T05", "T06", "T08", "T14")


def write_matrix(path, results):
    """One row a lie, one column a build."""
    with open(path, "w", encoding="utf-8") as file:
        write_table(file, *rows_of(results, lambda found: found[0]))
        file.write("\n")
        about_lists = [result for result in results if result[3] and any(is_about_lists(name) for name in result[3][0])]
        rows, builds = rows_of(about_lists, seen_and_missing)
        write_table(file, {name: row for name, row in rows.items() if any(row.values())}, builds)


def shown_outcomes(jobs, outcomes):
    """The outcomes, each printed when its turn comes: a run of every kernel lasts an hour."""
    for (name, kernel), outcome in zip(jobs, outcomes):
        for problem in outcome[0] or []:
            print(f"{name}{' on ' + kernel['version'] if kernel else ''}: {problem}", flush=True)
        yield outcome


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("invar")
    parser.add_argument("forge")
    parser.add_argument("--kernels", choices=["one", "spread", "layouts", "every"], default="one")
    parser.add_argument("--format")
    parser.add_argument("--matrix")
    parser.add_argument("scenarios", nargs="*")
    arguments = parser.parse_args()
    names = arguments.scenarios or sorted(
        name for name in os.listdir(HERE) if os.path.exists(os.path.join(HERE, name, "scenario.lua")))
    jobs = jobs_of(arguments, names)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        outcomes = workers.map(lambda job: run_one(arguments, os.path.join(HERE, job[0]), job[1]), jobs)
        results = [(name, kernel, *outcome) for (name, kernel), outcome in zip(jobs, shown_outcomes(jobs, outcomes))]
    runs = sum(problems is not None for _, _, problems, _ in results)
    failed = sum(bool(problems) for _, _, problems, _ in results)
    if arguments.matrix:
        write_matrix(arguments.matrix, results)
    print(f"{runs} images, {failed} not as expected")
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
