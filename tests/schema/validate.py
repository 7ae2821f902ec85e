#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `INVAR check --format json` and holds what it writes against a JSON schema.

usage: validate.py INVAR SCHEMA [--forge FORGE] IMAGE|SCENARIO.lua|FOLDER...

A scenario is forged first; a folder stands for every scenario.lua and every triage dump beneath it.

Beyond the schema: the counts in the summary must be those of the lists, the findings must be about
processes that are listed, and the exit status must say whether there are any. Two runs must give the same bytes but
for the time they took. What is written as NDJSON must be the same report in lines, and the CSV its evidence.
"""
import argparse
import concurrent.futures
import csv
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "scenarios"))
import run  # noqa: E402 (stands beside this folder)


def check(binary, image, form="json"):
    """What one run wrote, and its exit status."""
    done = subprocess.run([binary, "check", "--format", form, image], capture_output=True, timeout=600, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"check: status {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout, done.returncode


def schema_faults(report, validator):
    for fault in sorted(validator.iter_errors(report), key=lambda found: list(map(str, found.absolute_path))):
        yield "/".join(map(str, fault.absolute_path)) + ": " + fault.message


def undescribed(schema, path="", root=None):
    """Properties of the schema that say nothing of what they mean."""
    root = root or schema
    for name, part in schema.get("properties", {}).items():
        target = root["$defs"][part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
        if "description" not in part and "description" not in target and target.get("type") != "object":
            yield f"schema: {path}/{name} has no description"
        yield from undescribed(part, f"{path}/{name}", root)
        yield from undescribed(part.get("items", {}), f"{path}/{name}", root)


def faults_between(report, status):
    """What the schema cannot say: keys that must agree with each other."""
    summary = report["summary"]
    for key in ("processes", "excused"):
        if summary[key] != len(report[key]):
            yield f"summary.{key} is {summary[key]}, but {len(report[key])} are listed"
    if summary["broken"] != len(report["findings"]):
        yield f"summary.broken is {summary['broken']}, but there are {len(report['findings'])} findings"
    if summary["observed"] != len(report["observations"]):
        yield f"summary.observed is {summary['observed']}, but there are {len(report['observations'])} observations"
    unknown = sum(row["count"] for row in report["unknown"])
    if summary["unknown"] != unknown:
        yield f"summary.unknown is {summary['unknown']}, but the rows add up to {unknown}"
    for row in report["unknown"]:
        if sum(row["reasons"].values()) != row["count"]:
            yield f"unknown {row['id']}: the reasons do not add up to {row['count']}"
    verdicts = sum(summary[key] for key in ("holds", "broken", "observed", "excused", "unknown"))
    if summary["judged"] != verdicts:
        yield f"summary.judged is {summary['judged']}, but the verdicts are {verdicts}"
    if status != (1 if report["findings"] else 0):
        yield f"status {status} with {len(report['findings'])} findings"
    known = {process["address"] for process in report["processes"]}
    for finding in report["findings"]:
        subject = finding["subject"]
        if subject["kind"] == "process" and subject["address"] not in known:
            yield f"finding {finding['id']} is about {subject['address']}, which is not listed"
    witnesses = {witness["id"] for witness in report["witnesses"]}
    for process in report["processes"]:
        strangers = set(process["seen_by"] + process["missing_from"]) - witnesses
        if strangers:
            yield f"process {process['address']}: no such witness: {', '.join(sorted(strangers))}"
        if not process["seen_by"]:
            yield f"process {process['address']} was seen by nobody"


def without_time(report):
    return json.dumps({**report, "summary": {**report["summary"], "seconds": 0}})


RECORDS = {"witness": "witnesses", "process": "processes", "finding": "findings", "observation": "observations",
           "yara": "yara", "excused": "excused", "unknown": "unknown"}


def from_lines(text):
    """The report that lines of NDJSON make."""
    report = {part: [] for part in RECORDS.values()}
    for line in text.split("\n")[:-1]:
        row = json.loads(line)
        record = row.pop("record")
        if record == "check":
            report.update(row)
        elif record == "summary":
            report["summary"] = row
        else:
            report[RECORDS[record]].append(row)
    return report


def evidence_of(report):
    """The rows of the CSV."""
    for finding in report["findings"]:
        subject = finding["subject"]
        for piece in finding["evidence"]:
            row = [finding["id"], finding["certainty"], subject["kind"], subject["address"], subject["pid"], subject["name"],
                   piece["witness"], piece["tier"], piece["field"], piece["address"] or "0x0", piece["value"], piece["says"]]
            yield ["" if value is None else str(value) for value in row]


def faults_of_other_forms(binary, image, report):
    lines = from_lines(check(binary, image, "ndjson")[0].decode())
    if json.loads(without_time(lines)) != json.loads(without_time(report)):
        yield "NDJSON is not the report in lines"
    rows = list(csv.reader(io.StringIO(check(binary, image, "csv")[0].decode(), newline="")))
    if rows[1:] != list(evidence_of(report)):
        yield "CSV is not the evidence of the findings"


def faults_of(binary, image, validator):
    """All that is wrong with what is written of one image."""
    output, status = check(binary, image)
    report = json.loads(output)
    faults = list(schema_faults(report, validator)) or list(faults_between(report, status))
    again, _ = check(binary, image)
    if without_time(json.loads(again)) != without_time(report):
        faults.append("two runs differ")
    return faults + list(faults_of_other_forms(binary, image, report))


def faults_of_input(arguments, source, validator):
    """The same of an image or of a scenario, which is forged first."""
    try:
        if source.suffix != ".lua":
            return list(faults_of(arguments.invar, source, validator))
        with tempfile.TemporaryDirectory(dir=run.scratch_room()) as scratch:
            image = os.path.join(scratch, "image")
            made = subprocess.run([arguments.forge, source, "-o", image], capture_output=True, text=True, check=False)
            if made.returncode != 0:
                return [f"the forge failed: {made.stderr.strip()}"]
            return list(faults_of(arguments.invar, image, validator))
    except RuntimeError as fault:
        return [str(fault)]


def sources_in(path):
    """The path itself, or what stands beneath the folder."""
    path = pathlib.Path(path)
    if not path.exists():
        print(f"left out: {path} is not there")
        return []
    return sorted([*path.rglob("scenario.lua"), *path.rglob("triage-*.dmp")]) if path.is_dir() else [path]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("invar")
    parser.add_argument("schema")
    parser.add_argument("--forge")
    parser.add_argument("sources", nargs="+")
    arguments = parser.parse_args()
    with open(arguments.schema, encoding="utf-8") as text:
        schema = json.load(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    faults = list(undescribed(schema))
    sources = [source for path in arguments.sources for source in sources_in(path)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        outcomes = workers.map(lambda source: faults_of_input(arguments, source, validator), sources)
        faults += [f"{source}: {fault}" for source, found in zip(sources, outcomes) for fault in found]
    print(*faults, f"{len(sources)} images, {len(faults)} faults", sep="\n")
    return 1 if faults or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
