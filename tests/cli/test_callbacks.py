#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""'invar callbacks' shows what the forge registered, and what somebody took away.

usage: test_callbacks.py INVAR FORGE
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


def test_unread(suite):
    """What could not be read is not taken for honest."""
    image, _ = suite.image("little", "desktop()\n", "--format", "triage")
    done = subprocess.run([suite.invar, "callbacks", image], capture_output=True, text=True, check=False)
    suite.expect("Nothing speaks for a removal in what could be read." in done.stdout, done.stdout)
    suite.expect("- PspCreateProcessNotifyRoutine: " in done.stdout, done.stdout)
    suite.expect("not read: PspCreateProcessNotifyRoutine: " in done.stderr, done.stderr)


def main():
    invar, forge = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(invar, forge, folder)
        test_honest(suite)
        test_lies(suite)
        test_unread(suite)
    print(f"{suite.count} expectations, {suite.failed} not met")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
