#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `BINARY check --format json IMAGE` and holds what it writes against a JSON schema: validate.py BINARY IMAGE SCHEMA

Beyond the schema: the counts in the summary must be those of the lists, the findings must be about
processes that are listed, and the exit status must say whether there are any. Two runs must give the same bytes but
for the time they took. What is written as NDJSON must be the same report in lines, and the CSV its evidence.
"""
import csv
import io
import json
import subprocess
import sys

import jsonschema


def check(binary, image, form="json"):
    """What one run wrote, and its exit status."""
    run = subprocess.run([binary, "check", "--format", form, image], capture_output=True, timeout=600, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"{binary} check {image}: status {run.returncode}: {run.stderr.decode(errors='replace').strip()}")
    return run.stdout, run.returncode


def schema_faults(report, schema):
    validator = jsonschema.Draft202012Validator(schema)
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


def main(binary, image, schema_path):
    with open(schema_path, encoding="utf-8") as text:
        schema = json.load(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    output, status = check(binary, image)
    report = json.loads(output)
    faults = list(undescribed(schema)) + list(schema_faults(report, schema))
    if not faults:
        faults = list(faults_between(report, status))
    again, _ = check(binary, image)
    if without_time(json.loads(again)) != without_time(report):
        faults.append("two runs differ")
    faults += list(faults_of_other_forms(binary, image, report))
    for fault in faults:
        print(f"{image}: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
