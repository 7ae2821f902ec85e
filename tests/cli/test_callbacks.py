#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""'invar callbacks' shows what the forge registered, and what somebody took away.

usage: test_callbacks.py INVAR FORGE SCENARIOS
"""
import json
import os
import subprocess
import sys
import tempfile

LIES = """desktop()
silence("process", 1)
silence("object", 4)
local _, _, code = callback("image", 2)
local _, target = page()
write(code, "\\x48\\xb8" .. string.pack("<I8", target) .. "\\xff\\xe0")
driver("helper.sys", {"CmRegisterCallbackEx"})
"""


class Suite:
    """Forges images and asks the program about them; what does not hold is printed."""

    def __init__(self, invar, forge, folder):
        self.invar, self.forge, self.folder = invar, forge, folder
        self.count = self.failed = 0

    def expect(self, holds, what):
        self.count += 1
        if not holds:
            self.failed += 1
            print(what)

    def image(self, name, scenario, *options):
        script, image, truth = (os.path.join(self.folder, name + end) for end in (".lua", ".img", ".json"))
        with open(script, "w", encoding="utf-8") as file:
            file.write(scenario)
        subprocess.run([self.forge, script, "-o", image, "--truth", truth, "--memory", "128M", *options],
                       check=True)
        with open(truth, encoding="utf-8") as file:
            return image, json.load(file)

    def ask(self, image, *options):
        done = subprocess.run([self.invar, "callbacks", image, *options], capture_output=True, text=True, check=False)
        self.expect(done.returncode == 0 and not done.stderr, f"{options}: {done.returncode} {done.stderr}")
        return done.stdout


OBSERVERS = {"bug check", "bug check reason", "bug check pages", "shutdown", "last shutdown", "file system", "debug print",
             "hardware profile", "device class", "soft restart"}


def seen(rows):
    return {(row["kind"], int(row["routine"], 16), row["module"], row["altitude"]) for row in rows}


def test_honest(suite):
    image, truth = suite.image("honest", "desktop()\n")
    answer = json.loads(suite.ask(image, "--format", "json"))
    wanted = {(row["kind"], int(row["routine"], 16), row["module"], row["altitude"]) for row in truth["callbacks"]}
    suite.expect(seen(answer["callbacks"]) == wanted, f"{seen(answer['callbacks']) ^ wanted} differ")
    suite.expect(not answer["signs_of_removal"] and not answer["code"], "signs on an honest machine")
    suite.expect({row["may"] for row in answer["callbacks"] if row["kind"] in ("thread", "image")} == {"observe"}, "may")
    everything = json.loads(suite.ask(image, "--format", "json", "--all"))["callbacks"]
    suite.expect(any(row["kind"] == "type method" for row in everything), "--all shows methods of types")
    for form in ("text", "csv", "ndjson"):
        suite.expect("edrsense.sys" in suite.ask(image, "--format", form), form)


def test_lies(suite):
    image, truth = suite.image("lies", LIES)
    answer = json.loads(suite.ask(image, "--format", "json"))
    gone = {int(row["routine"], 16) for row in truth["callbacks"]} - {routine for _, routine, _, _ in
                                                                       seen(answer["callbacks"])}
    suite.expect(len(gone) == 2, f"{len(gone)} are gone")
    signs = " ".join(answer["signs_of_removal"])
    for sign in ("6 slots are used, and 7", "1 slots are free", "was registered by edrsense.sys together with",
                 "cng.sys imports", "helper.sys imports"):
        suite.expect(sign in signs, f"'{sign}' is not among: {signs}")
    suite.expect([code["instructions"][1] for code in answer["code"]] == ["jmp rax"], f"code: {answer['code']}")
    text = suite.ask(image)
    suite.expect("What speaks for a removal" in text and "jmp rax" in text, "text")


def who(row):
    """By what the registration says: a driver's object has its path before its name, a reason stands behind it."""
    return row["of"] and row["of"].split(":")[0].rsplit("\\", 1)[-1]


def test_observers(suite, scenarios):
    """Bug checks, shut-down, file systems, prints and devices: all that is registered, as it says of itself."""
    def script(name):
        with open(os.path.join(scenarios, name, "scenario.lua"), encoding="utf-8") as file:
            return file.read()

    image, truth = suite.image("others", script("clean-callbacks-others"))
    rows = json.loads(suite.ask(image, "--format", "json"))["callbacks"]
    wanted = sorted((row["kind"], int(row["at"], 16), int(row["routine"], 16), row["module"], row["owner"])
                    for row in truth["callbacks"] if row["kind"] in OBSERVERS)
    found = sorted((row["kind"], int(row["entry"], 16), int(row["routine"], 16), row["module"], who(row)) for row in rows
                   if row["kind"] in OBSERVERS)
    suite.expect(found == wanted, f"observers: {found} rather than {wanted}")
    suite.expect({row["kind"] for row in rows} >= OBSERVERS, "not every kind")
    suite.expect({row["may"] for row in rows if row["kind"] in OBSERVERS} == {"observe"}, "they observe")
    symbols = {row["symbol"] for row in rows if row["module"] == "ntoskrnl.exe"}
    suite.expect(symbols and all(symbol.startswith("ntoskrnl.exe!") for symbol in symbols), f"symbols: {symbols}")

    image, _ = suite.image("others-lies", script("attack-callback-others"))
    rows = json.loads(suite.ask(image, "--format", "json"))["callbacks"]
    noted = {row["kind"]: row["note"] for row in rows if row["note"]}
    nobodys = "no loaded module has this code"
    suite.expect(noted == {"bug check": "its checksum is wrong: the kernel passes it over", "shutdown": nobodys,
                           "file system": nobodys, "debug print": nobodys}, f"notes: {noted}")

    image, _ = suite.image("others-broken", script("attack-callback-others-broken"))
    done = subprocess.run([suite.invar, "callbacks", image], capture_output=True, text=True, check=False)
    suite.expect(done.returncode == 0, done.stderr)
    for text in ("- KeBugCheckReasonCallbackListHead: the list does not close (cycle); 3 entries are shown",
                 "- IopFsNotifyChangeQueueHead: 0xffff900012345678",
                 "- IopNotifyLastChanceShutdownQueueHead: zeros stand where its head should"):
        suite.expect(text in done.stdout, f"'{text}' is not in: {done.stdout[-600:]}")


POOLED = {"process", "thread", "image", "registry", "object", "win32", "shutdown", "last shutdown", "file system", "debug print",
          "hardware profile", "device class", "target device", "other slot"}


def blocks_of(rows):
    return sorted((int(row["block"], 16) - 0x10, int(row["routine"], 16)) for row in rows if row["kind"] in POOLED)


def shown(rows, listed):
    return sorted((int(row["block"], 16), int(row["routine"], 16)) for row in rows if row["listed"] == listed)


def test_pool(suite, scenarios):
    """What pool holds: all that is registered, what was taken back in order, and what somebody unlinked."""
    def script(name):
        with open(os.path.join(scenarios, name, "scenario.lua"), encoding="utf-8") as file:
            return file.read()

    for kernel in ("9600", "19041"):
        image, truth = suite.image("back", script("clean-callbacks-taken-back"), "--kernel", kernel)
        answer = json.loads(suite.ask(image, "--format", "json", "--all"))
        rows, past = answer["pool"], blocks_of(row for row in truth["past_callbacks"] if row["kind"] != "file system")
        suite.expect(shown(rows, "yes") == blocks_of(truth["callbacks"]), f"{kernel}: listed: {rows}")
        suite.expect(shown(rows, "no") == past and len(past) == 13, f"{kernel}: taken back: {shown(rows, 'no')}")
        suite.expect({row["pool"] for row in rows if row["listed"] == "no"} == {"free"}, f"{kernel}: free: {rows}")
        suite.expect(not answer["signs_of_removal"], f"{kernel}: signs: {answer['signs_of_removal']}")
        by = {(row["kind"], row["by"].split(" at ")[0]) for row in rows if row["module"] == "storage.sys"}
        suite.expect(by == {("routine", "another slot of ntoskrnl.exe,"), ("target device", "a list of its device")}, f"by: {by}")

        image, truth = suite.image("in-pool", script("attack-callbacks-in-pool"), "--kernel", kernel)
        answer = json.loads(suite.ask(image, "--format", "json", "--all"))
        rows, gone = answer["pool"], [row for row in truth["callbacks"] if row["silenced"]]
        suite.expect(shown(rows, "no") == blocks_of(gone) and len(gone) == 10, f"{kernel}: unlinked: {shown(rows, 'no')}")
        found = [sign for sign in answer["signs_of_removal"] if sign.startswith("pool: ")]
        signs = " ".join(found)
        suite.expect(len(found) == 10, f"{kernel}: signs: {signs}")
        for row in gone:
            suite.expect(f"{int(row['block'], 16) - 0x10:#x} (" in signs and row["routine"] in signs, f"{row} is in no sign")
        old = kernel == "9600"
        suite.expect(("the block is in use" in signs) == old, signs)
        suite.expect(("pool does not tell which" in signs) != old, signs)
        suite.expect("pool" not in json.loads(suite.ask(image, "--format", "json")), "only with --all")
        text = suite.ask(image, "--all")
        for part in ("In pool, by tag", "by itself it proves nothing.", "watcher.sys", "PspCreateProcessNotifyRoutine, slot 0"):
            suite.expect(part in text, f"'{part}' is not in: {text}")
        lines = [json.loads(line) for line in suite.ask(image, "--all", "--format", "ndjson").splitlines()]
        suite.expect(sum("tag" in line for line in lines) == len(rows), "ndjson has the rows of pool")
        done = [suite.ask(image, "--all", "--format", "json", "--threads", str(threads)) for threads in (1, 3)]
        suite.expect(done[0] == done[1], "threads change nothing")


def test_unread(suite):
    """What could not be read is not taken for honest."""
    image, _ = suite.image("little", "desktop()\n", "--format", "triage")
    done = subprocess.run([suite.invar, "callbacks", "--all", image], capture_output=True, text=True, check=False)
    suite.expect("- pool: this image has no physical memory" in done.stdout, done.stdout)
    done = subprocess.run([suite.invar, "callbacks", image], capture_output=True, text=True, check=False)
    suite.expect("Nothing speaks for a removal in what could be read." in done.stdout, done.stdout)
    suite.expect("- PspCreateProcessNotifyRoutine: " in done.stdout, done.stdout)
    suite.expect("not read: PspCreateProcessNotifyRoutine: " in done.stderr, done.stderr)


def main():
    invar, forge, scenarios = map(os.path.abspath, sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(invar, forge, folder)
        test_honest(suite)
        test_lies(suite)
        test_observers(suite, scenarios)
        test_pool(suite, scenarios)
        test_unread(suite)
    print(f"{suite.count} expectations, {suite.failed} not met")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
