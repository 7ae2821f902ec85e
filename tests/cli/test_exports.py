#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layers of the ATT&CK Navigator and bundles of STIX have the form that they must have, and say what the JSON report says.

usage: test_exports.py INVAR FORGE SCENARIOS SCHEMAS
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import uuid

try:
    import jsonschema
except ImportError:
    jsonschema = None

NAMES = ("clean-freed", "attack-unlink", "attack-reflective", "attack-protected-opened", "clean-live")
STIX_SPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
SCORES = {"certain": 100, "probable": 80, "possible": 60}


class Suite:
    """Counts what is not as it should be."""

    def __init__(self, invar, schemas):
        self.attack = None  # the version that the last layer named
        self.invar, self.count, self.failed, self.validators = invar, 0, 0, {}
        for name in ("navigator", "stix"):
            with open(os.path.join(schemas, name + ".schema.json"), encoding="utf-8") as file:
                schema = json.load(file)
            if jsonschema:
                jsonschema.Draft202012Validator.check_schema(schema)
                self.validators[name] = jsonschema.Draft202012Validator(schema)

    def expect(self, holds, what):
        self.count += 1
        if not holds:
            self.failed += 1
            print(what)

    def same(self, got, wanted, what):
        self.expect(got == wanted, f"{what}: {got} instead of {wanted}")

    def written(self, form, image):
        done = subprocess.run([self.invar, "check", "--format", form, image], capture_output=True, timeout=120, check=False)
        self.expect(done.returncode in (0, 1), f"{form}: status {done.returncode}: {done.stderr}")
        return done.stdout

    def valid(self, form, image):
        """What is written, if it has its form; twice the same."""
        first = self.written(form, image)
        self.expect(first == self.written(form, image), f"{form} of {image}: two runs differ")
        result = json.loads(first)
        if form in self.validators:
            for fault in list(self.validators[form].iter_errors(result))[:3]:
                self.expect(False, f"{form} of {image}: {'/'.join(map(str, fault.absolute_path))}: {fault.message[:200]}")
        return result


def test_navigator(suite, image, report):
    layer = suite.valid("navigator", image)
    suite.attack = layer["versions"]["attack"]
    scores, counts = collections.defaultdict(int), collections.Counter()
    for kind in ("findings", "observations"):
        for row in report[kind]:
            for technique in row["attack"].split(", "):
                scores[technique] = max(scores[technique], 25 if kind == "observations" else SCORES[row["certainty"]])
                counts[technique, kind] += 1
    suite.same({row["techniqueID"]: row["score"] for row in layer["techniques"]}, dict(scores), "techniques and scores")
    suite.same(len(layer["techniques"]), len(scores), "one row a technique")
    for row in layer["techniques"]:
        said = {pair["name"]: int(pair["value"]) for pair in row["metadata"]}
        suite.same(said, {kind: counts[row["techniqueID"], kind] for kind in ("findings", "observations")}, row["techniqueID"])
    ids = [row["techniqueID"] for row in layer["techniques"]]
    for row in layer["techniques"]:
        below = any(other.startswith(row["techniqueID"] + ".") for other in ids)
        suite.same(row["showSubtechniques"], below, f"{row['techniqueID']} shows its subtechniques")
    suite.same(layer["layout"]["expandedSubtechniques"], "annotated", "a subtechnique whose technique has no row")
    suite.same(ids, sorted(ids), "the order of rows")
    suite.expect(layer["gradient"]["minValue"] < layer["gradient"]["maxValue"], "the gradient")
    suite.expect(tuple(map(int, layer["versions"]["navigator"].split("."))) >= (4, 9, 0), "format 4.5 needs 4.9.0")
    metadata = {pair["name"]: pair["value"] for pair in layer["metadata"]}
    suite.same(metadata["image"], report["image"]["path"], "the image")
    suite.expect(report["kernel"]["version"] in metadata["kernel"], f"the kernel: {metadata['kernel']}")


def references(item):
    """Every identifier that an object names."""
    for key, value in item.items():
        if key.endswith("_ref"):
            yield value
        elif key.endswith("_refs"):
            yield from value


def properties_id(kind, **properties):
    """RFC 8785 of strings is what Python writes without blanks."""
    name = json.dumps(properties, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"{kind}--{uuid.uuid5(STIX_SPACE, name)}"


def test_stix(suite, image, report):
    objects = suite.valid("stix", image)["objects"]
    known = {item["id"]: item for item in objects}
    suite.same(len(known), len(objects), "identifiers that stand once")
    for item in objects:
        lost = [name for name in references(item) if name not in known]
        suite.expect(not lost, f"{item['id']} names {lost}, which are not in the bundle")
        if item["type"] == "directory":
            suite.same(item["id"], properties_id("directory", path=item["path"]), "identifier of a directory")
        if item["type"] == "file":
            contributing = {key: item[key] for key in ("name", "parent_directory_ref") if key in item}
            suite.same(item["id"], properties_id("file", **contributing), "identifier of a file")
        suite.expect(item["type"] != "indicator", "an indicator")
    notes = [item for item in objects if item["type"] == "note" and "labels" in item]
    for label, kind in (("finding", "findings"), ("observation", "observations")):
        got = collections.Counter(item["abstract"].split(":")[0] for item in notes if item["labels"] == [label])
        suite.same(got, collections.Counter(row["id"] for row in report[kind]), f"notes of {kind}")
    wanted = {technique for row in report["findings"] + report["observations"] for technique in row["attack"].split(", ")}
    patterns = [item for item in objects if item["type"] == "attack-pattern"]
    suite.same({item["external_references"][0]["external_id"] for item in patterns}, wanted, "attack patterns")
    suite.expect(all(item["name"] != item["external_references"][0]["external_id"] for item in patterns), "a technique without a name")
    for item in patterns:
        suite.expect(item["kill_chain_phases"], f"{item['name']} has no tactic")
        technique = item["external_references"][0]["external_id"]
        suite.same(item["external_references"][0]["url"],
                   "https://attack.mitre.org/techniques/" + technique.replace(".", "/"), "where a technique is told of")
        suite.same(": " in item["name"], "." in technique, f"{technique} stands under another: {item['name']}")
    for item in objects:
        if "modified" in item:
            suite.expect(item["created"] <= item["modified"], f"{item['id']} was modified before it was created")
            suite.expect(item.get("created_by_ref", objects[0]["id"]) == objects[0]["id"], f"{item['id']} is another's")
    hidden = {row["pid"] for row in report["processes"] if row["state"] == "hidden"}
    suite.same({item["pid"] for item in objects if item["type"] == "process" and item["is_hidden"]}, hidden, "hidden processes")
    (whole,) = [item for item in objects if item["type"] == "report"]
    suite.expect({item["id"] for item in notes} <= set(whole["object_refs"]), "notes that the report does not name")
    if report["kernel"]["system_time"]:
        suite.same(whole["published"], report["kernel"]["system_time"][:23] + "Z", "the time of the report")


def test_names(suite):
    """Every technique of the catalogue has a name."""
    shown = subprocess.run([suite.invar, "explain", "--format", "json"], capture_output=True, check=True).stdout
    catalogue = json.loads(shown)
    rows = catalogue["invariants"] if isinstance(catalogue, dict) else catalogue
    return {technique for row in rows for technique in row["attack"].split(", ")}


def main():
    invar, forge, scenarios, schemas = map(os.path.abspath, sys.argv[1:5])
    suite = Suite(invar, schemas)
    if not jsonschema:
        print("without python3-jsonschema the form is not tested")
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            image = os.path.join(folder, name)
            subprocess.run([forge, os.path.join(scenarios, name, "scenario.lua"), "-o", image, "--memory", "256M"], check=True)
            report = json.loads(suite.written("json", image))
            test_navigator(suite, image, report)
            test_stix(suite, image, report)
            os.unlink(image)
    known = open(os.path.join(scenarios, "..", "..", "src", "report", "techniques.c"), encoding="utf-8").read()
    suite.same(re.findall(r"ATT&CK ([0-9]+)\.", known), [suite.attack], "the version of ATT&CK that the names are from")
    for technique in test_names(suite):
        suite.expect(f'{{"{technique}", ' in known, f"{technique} has no name")
    print(f"{suite.count} expectations, {suite.failed} not met")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
