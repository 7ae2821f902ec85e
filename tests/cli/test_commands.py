#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the commands show of the insides of processes is what the forge laid out: ranges, modules, bytes, patched code; and
processes stand beneath their parents.

usage: test_commands.py INVAR FORGE SCENARIO SCHEMA TOKEN_SCHEMA
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    jsonschema = None

RULES = """
rule marker : private_tag { strings: $a = "invar-marker-in-private-memory" $b = { 48 31 c0 c3 } condition: all of them }
rule starts_with_code { condition: uint32(0) == 0xc3c03148 }
rule nowhere { strings: $a = "nobody-wrote-this" condition: $a }
"""
CODE = b"\x48\x31\xc0\xc3 invar-marker-in-private-memory"


class Suite:
    """Runs the program on one image; a test that fails says what, and the others go on."""

    def __init__(self, invar, folder):
        self.invar = invar
        self.folder = folder
        self.image = os.path.join(folder, "image")
        self.failed = 0
        self.count = 0

    def run(self, *arguments, status=0):
        done = subprocess.run([self.invar, *arguments], capture_output=True, text=True, cwd=self.folder, timeout=120,
                              check=False)
        self.expect(done.returncode == status or (status is None and done.returncode < 3), f"{' '.join(arguments)}: status {done.returncode}: {done.stderr.strip()}")
        return done

    def rows(self, command, *arguments):
        return json.loads(self.run(command, "--format", "json", self.image, *arguments).stdout or "[]")

    def expect(self, holds, what):
        self.count += 1
        if not holds:
            self.failed += 1
            print(what)

    def same(self, got, wanted, what):
        self.expect(got == wanted, f"{what}: {got} instead of {wanted}")

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


def named(truth, name):
    return next(process for process in truth["processes"] if process["name"] == name)


def test_vads(suite, truth):
    protections = ["N", "R", "X", "RX", "RW", "WC", "RWX", "XWC"]
    kinds = {"private": "private", "image": "image", "file": "mapped"}
    for process in truth["processes"]:
        if not process.get("vads"):
            continue
        rows = suite.rows("vads", process["address"])
        wanted = [(vad["address"], vad["start"], vad["end"], kinds.get(vad["type"]), protections[vad["protection"] & 7])
                  for vad in process["vads"]]
        got = [(row["vad"], row["start"], row["end"], row["kind"], row["protection"]) for row in rows]
        suite.same(got, wanted, f"ranges of {process['name']}")
    editor = suite.rows("vads", str(named(truth, "editor.exe")["pid"]))
    code = next(row for row in editor if row["protection"] == "RWX")
    suite.same((code["valid"], code["executable"]), (3, 3), "pages of code")
    suite.expect("writable and executable" in code["notes"], "the note of a JIT's memory")
    suite.expect(any(row["notes"] and "PEB" in row["notes"] for row in editor), "the range of the PEB is not noted")
    suite.expect(any(row["notes"] and "patched" in row["notes"] for row in editor), "patched code is not noted")
    everything = suite.rows("vads")
    suite.expect(all(row in everything for row in editor), "the ranges of all processes are not those of one")


def test_modules(suite, truth):
    for process in truth["processes"]:
        if not process.get("modules"):
            continue
        rows = suite.rows("modules", process["address"])
        bases = {row["base"] for row in rows}
        suite.same(bases, {module["base"] for module in process["modules"]}, f"modules of {process['name']}")
        suite.expect(all(row["mapped"] == "image" and row["header"] in ("PE32", "PE32+") for row in rows),
                     f"modules of {process['name']} are not all mapped")
    editor = suite.rows("modules", str(named(truth, "editor.exe")["pid"]))
    for row in editor:
        suite.same(row["missing from"], "loader" if row["name"] == "crypt32.dll" else "", f"witnesses of {row['name']}")
    setup = suite.rows("modules", str(named(truth, "setup.exe")["pid"]))
    suite.same({row["loader"] for row in setup}, {"32-bit", "64-bit"}, "loaders of a 32-bit program")
    suite.expect(suite.rows("modules")[0]["name"] == "ntoskrnl.exe", "modules of the kernel")


def test_extract(suite, truth):
    process = named(truth, "editor.exe")
    pid = str(process["pid"])
    code = next(vad for vad in process["vads"] if vad["protection"] == 6)
    suite.run("extract", suite.image, pid, "--vad", code["start"], "-o", "code.bin")
    data = suite.read("code.bin")
    suite.expect(data.startswith(CODE) and len(data) == 0x3000, "the bytes of a range")
    side = json.loads(suite.read("code.bin.json"))["files"][0]
    suite.same(side["sha256"], hashlib.sha256(data).hexdigest(), "SHA-256")
    suite.same(side["sha256"], side["sha256_present"], "SHA-256 of what was present")
    start = int(code["start"], 16)
    suite.run("extract", suite.image, pid, "--range", f"{start + 5:#x}-{start + 17:#x}", "-o", "code.bin")
    suite.same(suite.read("code.bin"), CODE[5:17], "bytes from the middle of a page, over a longer file")
    suite.run("extract", suite.image, process["address"], "--module", "NTDLL.dll", "-o", "ntdll.bin")
    suite.expect(suite.read("ntdll.bin").startswith(b"MZ"), "a module")
    suite.run("extract", suite.image, pid, "--range", "0x100000-0x102000", "-o", "none.bin")
    side = json.loads(suite.read("none.bin.json"))["files"][0]
    suite.same((suite.read("none.bin"), side["present_bytes"]), (bytes(0x2000), 0), "memory that is not there")
    suite.same(side["runs"], [{"start": "0x100000", "end": "0x102000", "present": False, "reason": "not mapped"}], "runs")
    test_folder(suite, process, pid)
    for wrong in (["--range", "5-5"], ["--range", "x-9"], ["--vad", "0x1"], ["--module", "none.dll"],
                  ["--range", "0x0-0x7fffffff0000"], ["--range", "4096-8192"], ["--module", "a/b"], ["--vad", "q"]):
        suite.run("extract", suite.image, pid, *wrong, "-o", "wrong.bin", status=2)
    suite.run("extract", suite.image, pid, "--all", status=2)
    suite.run("extract", suite.image, pid, "-o", "x.bin", status=2)
    suite.run("extract", suite.image, pid, "--all", "--vad", "0x1", "-o", "x.bin", status=2)
    before = os.path.getsize(suite.image)
    suite.run("extract", suite.image, pid, "--vad", code["start"], "-o", suite.image, status=2)
    suite.run("ps", suite.image, "-o", suite.image, status=2)
    suite.same(os.path.getsize(suite.image), before, "the image was written over")


def test_folder(suite, process, pid):
    suite.run("extract", suite.image, pid, "--all", "-o", "all")
    side = json.loads(suite.read("all/extract.json"))
    files = {entry["file"] for entry in side["files"]}
    suite.same(set(os.listdir(suite.path("all"))), files | {"extract.json"}, "files in the folder")
    for entry in side["files"]:
        data = suite.read("all/" + entry["file"])
        suite.same((len(data), hashlib.sha256(data).hexdigest()), (entry["bytes"], entry["sha256"]), entry["file"])
        suite.same(entry["present_bytes"], sum(int(run["end"], 16) - int(run["start"], 16) for run in entry["runs"]
                                               if run["present"]), "present bytes of " + entry["file"])
        suite.expect(not set(entry["file"]) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"),
                     f"the name {entry['file']}")
    suite.expect(any("a_b_c_.dat" in name for name in files), "the file with an awkward name")
    reserved = next(vad for vad in process["vads"] if int(vad["end"], 16) - int(vad["start"], 16) == 0x40000000)
    suite.expect({"start": reserved["start"], "end": reserved["end"]} in side["without_a_page"],
                 "a range of which nothing is there")
    suite.run("extract", suite.image, pid, "--all", "-o", "all", status=2)  # there is something in it


def test_selection(suite, truth):
    holder = next(process for process in truth["processes"] if process["handles"] and process["pid"] != 4)
    for command, process in (("threads", named(truth, "editor.exe")), ("handles", holder)):
        rows = [row for row in suite.rows(command) if row["pid"] == process["pid"]]
        suite.expect(rows, f"{command} of {process['name']}")
        for argument in (str(process["pid"]), process["address"]):
            suite.same(suite.rows(command, argument), rows, f"{command} of {argument} alone")
    done = suite.run("handles", suite.image, "0")
    suite.expect("no table of handles leads to process 0" in done.stderr, "that Idle has no table of handles")


def test_process(suite, truth, schema):
    process = named(truth, "editor.exe")
    dossier = suite.rows("process", str(process["pid"]))
    if jsonschema:
        jsonschema.validate(dossier, schema)
    suite.same(dossier["address"], process["address"], "address")
    claims = {row["claim"]: row["value"] for row in dossier["claims"]}
    suite.same(claims["command line"], process["command_line"], "command line")
    suite.same(claims["image path"], process["image_path"], "image path")
    suite.same([row["tid"] for row in dossier["threads"]], [thread["tid"] for thread in process["threads"]], "threads")
    suite.expect(all(row["code"] for row in dossier["threads"]), "no code at the start of a thread")
    (patch,) = dossier["patched_code"]
    suite.expect(patch["file"].endswith("ntdll.dll") and patch["bytes"] == 5, "what was patched")
    suite.expect(patch["is"][0]["text"].startswith("jmp ") and patch["was"][0]["text"] == "mov r10, rcx", "the patch")
    text = suite.run("process", suite.image, process["address"]).stdout
    for title in ("Identity", "Names, by every record", "Seen by", "Image", "What it says of itself", "Threads", "Memory",
                  "Ranges of note", "Modules", "Verdicts that concern it", "Patched code"):
        suite.expect(f"\n{title}\n" in text, f"the dossier has no part '{title}'")
    for name in ("setup.exe", "gone.exe", "System"):
        if jsonschema:
            jsonschema.validate(suite.rows("process", named(truth, name)["address"]), schema)
    for wrong in ("99999", "0x1234", "x"):
        done = suite.run("process", suite.image, wrong, status=2)
        suite.expect("invar ps --all" in done.stderr or "neither" in done.stderr, f"process {wrong}: {done.stderr}")


def forge_into(suite, forge, scenario):
    subprocess.run([forge, scenario, "-o", suite.image, "--memory", "256M", "--truth", suite.path("truth")], check=True)
    with open(suite.path("truth"), encoding="utf-8") as file:
        return json.load(file)


def test_tree(suite, forge, scenario):
    truth = {row["address"]: row for row in forge_into(suite, forge, scenario)["processes"]}
    for everything in ([], ["--all"]):
        rows = suite.rows("tree", *everything)
        wanted = [row for row in truth.values() if everything or row["state"] != "freed"]
        suite.same({row["address"] for row in rows}, {row["address"] for row in wanted}, "processes of the tree")
        path = []
        for row in rows:
            path[row["depth"]:] = [row]
            parent = truth.get(truth[row["address"]]["parent"])
            known = parent and (everything or parent["state"] != "freed")
            suite.same(path[-2]["address"] if row["depth"] else None, parent["address"] if known else None,
                       f"who stands above {row['name']}")
            suite.same(row["parent address"], parent["address"] if known else None, f"parent of {row['name']}")
            suite.expect(row["parent"] in (("proved", "remains") if known else ("none", "gone", "recycled")),
                         f"{row['name']}: {row['parent']}")
            suite.expect(bool(row["note"]) == (row["parent"] not in ("none", "proved")), f"the note on {row['name']}")
            if truth[row["address"]]["state"] != "freed":
                suite.same((row["session"], row["path"] or ""),
                           (truth[row["address"]]["session"], truth[row["address"]]["path"]), f"session and path of {row['name']}")
        for row in rows:
            wanted = truth[row["address"]]
            if wanted["state"] == "freed":
                continue
            suite.same((row["threads"], row["handles"] or 0),
                       (0 if wanted["exited"] else sum(not thread["ended"] for thread in wanted["threads"]),
                        len(wanted["handles"])), f"threads and handles of {row['name']}")
        suite.expect({"gone", "recycled"} <= {row["parent"] for row in rows}, "parents that have gone")
        siblings = {}
        for row in rows:
            siblings.setdefault(row["parent address"], []).append(row["sequence"])
        for above, numbers in siblings.items():
            suite.same(above and numbers, above and sorted(numbers, key=lambda n: n or 1 << 64), "the order of siblings")
    text = suite.run("tree", suite.image).stdout
    suite.expect("\n  smss.exe" in text and "\n    child.exe" in text, "indentation")


def test_circle(suite, forge, scenario):
    forge_into(suite, forge, scenario)
    rows = suite.rows("tree")
    suite.same(len(rows), len({row["address"] for row in rows}), "nobody stands twice")
    around = [row for row in rows if row["name"] in ("a.exe", "b.exe", "c.exe")]
    suite.same(sorted((row["parent"], row["depth"]) for row in around), [("circle", 0), ("proved", 1), ("proved", 2)],
               "the circle that is cut")


def test_tokens(suite, truth, schema):
    rows = suite.rows("tokens")
    for process in truth["processes"]:
        wanted = process["token"]
        row = next(row for row in rows if row["of"] == "process" and row["name"] == process["name"][:14] and
                   row["pid"] == process["pid"])
        suite.same((row["token"], row["user"], int(row["logon"], 16), row["type"]),
                   (wanted["address"], wanted["groups"][0]["sid"], wanted["logon"], "primary"),
                   f"the token of {process['name']}")
        whole = suite.rows("tokens", process["address"])
        if jsonschema:
            jsonschema.validate(whole, schema)
        suite.same([entry["sid"] for entry in whole["sids"] if entry["list"] in ("user", "group")],
                   [entry["sid"] for entry in wanted["groups"]], f"SIDs of {process['name']}")
        for column, key in (("present", "present"), ("enabled", "enabled"), ("by default", "by_default")):
            bits = sum(1 << entry["bit"] for entry in whole["privileges"] if entry[column] == "yes")
            suite.same(bits, int(wanted[key], 16), f"privileges of {process['name']}, {column}")
    every = suite.rows("tokens", "--all")
    of_one = suite.rows("tokens", "4", "--all")
    for process in truth["processes"]:
        suite.same([(row["number"], row["sid"]) for row in every
                    if row["list"] in ("user", "group") and row["pid"] == process["pid"] and row["process"] == process["name"][:14]],
                   list(enumerate(entry["sid"] for entry in process["token"]["groups"])), f"all SIDs of {process['name']}")
    suite.same(of_one, [row for row in every if row["pid"] == 4], "the SIDs of System")
    text = suite.run("tokens", suite.image, "4").stdout
    for part in ("SIDs of the primary token", "Privileges of the primary token", "System Mandatory Level", "SeTcbPrivilege", "act as a part of the system"):
        suite.expect(part in text, f"tokens does not show '{part}'")
    suite.run("tokens", suite.image, "99999", status=2)


def test_yara(suite, truth):
    with open(suite.path("rules.yar"), "w", encoding="ascii") as file:
        file.write(RULES)
    done = suite.run("check", "--format", "json", "--yara", "rules.yar", suite.image, status=None)
    if done.returncode == 2 and "without libyara" in done.stderr:
        print("built without libyara: rules are not tested")
        return
    report = json.loads(done.stdout)
    process = named(truth, "editor.exe")
    code = next(vad for vad in process["vads"] if vad["protection"] == 6)
    suite.same([match["rule"] for match in report["yara"]], ["marker", "starts_with_code"], "rules that match")
    match = report["yara"][0]
    suite.same((match["process"]["pid"], match["range"]["start"], match["range"]["vad"], match["tags"]),
               (process["pid"], code["start"], code["address"], "private_tag"), "where a rule matches")
    suite.same({string["id"]: string["offset"] for string in match["strings"]}, {"$a": 5, "$b": 0}, "strings")
    suite.same(report["yara_search"]["rules"], 3, "rules")
    plain = json.loads(suite.run("check", "--format", "json", suite.image, status=None).stdout)
    suite.same((plain["yara"], plain["yara_search"]), ([], None), "without rules")
    suite.same(report["findings"], plain["findings"], "rules make no findings")
    suite.expect("starts_with_code  process" in suite.run("check", "--yara", "rules.yar", suite.image, status=None).stdout,
                 "rules in text")
    with open(suite.path("bad.yar"), "w", encoding="ascii") as file:
        file.write("rule x { condition: nobody }")
    suite.expect("bad.yar, line 1" in suite.run("check", "--yara", "bad.yar", suite.image, status=2).stderr, "bad rules")
    suite.run("check", "--yara", "missing.yar", suite.image, status=2)
    suite.run("ps", "--yara", "rules.yar", suite.image, status=2)


def test_forms(suite, truth):
    pid = str(named(truth, "editor.exe")["pid"])
    for form in ("text", "json", "ndjson", "csv"):
        for command in ("vads", "modules", "process", "tokens"):
            done = suite.run(command, "--format", form, suite.image, pid)
            suite.expect(done.stdout and not done.stderr, f"{command} as {form}: {done.stderr}")
        suite.run("extract", "--format", form, suite.image, pid, "--module", "ntdll.dll", "-o", "again.bin")
    for command in ("check", "info", "ps", "process", "threads", "handles", "modules", "callbacks", "tokens", "vads", "extract", "dt",
                    "explain"):
        suite.expect(suite.run(command, "--help").stdout.startswith(f"usage: invar {command} "), f"help of {command}")


def main():
    invar, forge, scenario, schema, tokens = map(os.path.abspath, sys.argv[1:6])
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(invar, folder)
        truth_path = os.path.join(folder, "truth")
        subprocess.run([forge, scenario, "-o", suite.image, "--memory", "128M", "--truth", truth_path], check=True)
        with open(truth_path, encoding="utf-8") as file:
            truth = json.load(file)
        with open(schema, encoding="utf-8") as file:
            form = json.load(file)
        with open(tokens, encoding="utf-8") as file:
            token_form = json.load(file)
        test_vads(suite, truth)
        test_modules(suite, truth)
        test_extract(suite, truth)
        test_selection(suite, truth)
        test_process(suite, truth, form)
        test_tokens(suite, truth, token_form)
        test_yara(suite, truth)
        test_forms(suite, truth)
        here = os.path.dirname(scenario)
        test_tree(suite, forge, os.path.join(here, os.pardir, "scenarios", "clean-parents", "scenario.lua"))
        test_circle(suite, forge, os.path.join(here, "circle.lua"))
    print(f"{suite.count} expectations, {suite.failed} not met")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
