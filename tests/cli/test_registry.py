#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the registry in memory gives names to is named as the forge laid it out, and what cannot be read is said: keys, files with
their devices, accounts by profiles and services.

usage: test_registry.py INVAR FORGE SCENARIOS
"""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

USER = "S-1-5-21-2711839914-1380451206-3127884101-"
KERNELS = ("6.1.7601.24540", "6.3.9600.19913", "10.0.14393.4583", "10.0.17763.379", "10.0.19041.1826", "10.0.22000.795")
BARE = "desktop()\nclean()\n"
RELATED = """local m = desktop()
local _, folder = open_file(m.explorer, "C:\\\\Users")
local _, inner = open_file(m.explorer, "Jane", {related = folder})
open_file(m.explorer, "letters\\\\one.txt", {related = inner})
clean()
"""


class Suite:
    """Forges images and asks about them; what is not as expected is said, and the others go on."""

    def __init__(self, invar, forge, folder):
        self.invar, self.forge, self.folder, self.failed = invar, forge, folder, 0
        self.image = os.path.join(folder, "image")

    def make(self, script, kernel):
        path = os.path.join(self.folder, "truth")
        subprocess.run([self.forge, script, "--kernel", kernel, "--memory", "128M", "-o", self.image, "--truth", path],
                       check=True)
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def ask(self, *arguments):
        done = subprocess.run([self.invar, *arguments], capture_output=True, text=True, check=False)
        self.same(done.returncode, 0, f"{arguments}: {done.stderr}")
        return done

    def rows(self, command, *arguments):
        return json.loads(self.ask(command, "--format", "json", self.image, *arguments).stdout)

    def same(self, got, wanted, what):
        if got != wanted:
            self.failed += 1
            print(f"{what}: {got} instead of {wanted}")


def test_names(suite, script, kernel):
    truth = suite.make(script, kernel)
    got = {(row["pid"], row["handle"]): row for row in suite.rows("handles")}
    for process in truth["processes"]:
        for handle in process["handles"]:
            if handle["type"] in ("Key", "File"):
                name = handle["name"].upper() if handle["type"] == "Key" else handle["name"]
                suite.same(got[process["pid"], hex(handle["value"])]["target"], name, f"{kernel}: a name")
    names = {row["name"]: (row["account"], row["named by"]) for row in suite.rows("tokens")}
    suite.same(names["explorer.exe"], ("Jane", "profile"), f"{kernel}: an account")
    suite.same(names["calc.exe"], ("guest.INVAR", "profile"), f"{kernel}: an account with a domain behind it")
    suite.same(names["System"], ("SYSTEM", "well-known"), f"{kernel}: the system's account")
    services = {}
    for process in truth["processes"]:
        if process["name"] in ("svchost.exe", "TrustedInstaller.exe"):
            for row in suite.rows("tokens", process["address"])["sids"]:
                if row["sid"].startswith("S-1-5-80-"):
                    services[row["name"], row["named by"]] = row["sid"]
    suite.same(set(services), {("Dnscache", "service"), ("TrustedInstaller", "service"), ("NT Service", "well-known")},
               f"{kernel}: services")
    # The SID of this service is documented everywhere.
    suite.same(services["TrustedInstaller", "service"],
               "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", "the SID of a service")


def test_forms(suite, script):
    suite.make(script, KERNELS[-2])
    rows = list(csv.DictReader(io.StringIO(suite.ask("handles", "--format", "csv", suite.image).stdout)))
    suite.same([row["target"] for row in rows if row["type"] == "Key"][0], "\\REGISTRY", "a name as CSV")
    rows = list(csv.DictReader(io.StringIO(suite.ask("tokens", "--format", "csv", suite.image).stdout)))
    suite.same({row["named by"] for row in rows}, {"well-known", "profile"}, "sources as CSV")
    text = suite.ask("handles", suite.image).stdout
    for part in ("\\Device\\HarddiskVolume5\\work\\notes.txt", "\\Device\\NamedPipe\\lsass", "\\REGISTRY\\MACHINE\\SOFTWARE\\WIDE"):
        suite.same(part in text, True, part)


def test_related(suite):
    script = os.path.join(suite.folder, "related.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write(RELATED)
    for kernel in KERNELS:
        suite.make(script, kernel)
        got = [row["target"] for row in suite.rows("handles") if row["type"] == "File"]
        suite.same(got, ["\\Device\\HarddiskVolume3" + name for name in
                         ("\\Users", "\\Users\\Jane", "\\Users\\Jane\\letters\\one.txt")], f"{kernel}: names relative to others")


def test_hostile(suite, script, kernel):
    truth = suite.make(script, kernel)
    opened = sum(handle["type"] == "Key" for process in truth["processes"] for handle in process["handles"])
    got = [row["target"] for row in suite.rows("handles") if row["type"] == "Key"]
    suite.same(len(got), opened, "handles to keys whose names are broken")
    wanted = ["\\REGISTRY\\MACHINE\\SOFTWARE\\HONEST", "...\\A\\B\\C (the way up leads back to itself)",
              "...\\ITSELF (the way up leads back to itself)", "(a part of it has a length that no key's name has)",
              "...\\BELOW (a part of it has a length that no key's name has)", "...\\TAIL (not mapped)", None,
              "(its body is not that of an open key)", "(its body is not that of an open key)"]
    suite.same(got, wanted, f"{kernel}: broken names")
    done = suite.ask("tokens", "--format", "json", suite.image)
    names = {row["name"]: (row["account"], row["named by"]) for row in json.loads(done.stdout)}
    suite.same(names["explorer.exe"], ("user1001", "profile"), "a profile among broken ones")
    for part in ("the list of hives is not whole: it leads back into itself", "SOFTWARE: ", "SYSTEM: "):
        suite.same(part in done.stderr, True, f"{part} in {done.stderr}")


def test_missing(suite, script):
    suite.make(script, KERNELS[-2])
    done = suite.ask("tokens", "--format", "json", suite.image)
    for part in ("no services: \\REGISTRY\\MACHINE\\SYSTEM", "not all profiles are known"):
        suite.same(part in done.stderr, True, f"{part} in {done.stderr}")
    bare = os.path.join(suite.folder, "bare.lua")
    with open(bare, "w", encoding="utf-8") as file:
        file.write(BARE)
    suite.make(bare, KERNELS[-2])
    done = suite.ask("tokens", "--format", "json", suite.image)
    suite.same("no names by the registry: no hive is listed" in done.stderr, True, done.stderr)
    names = {row["name"]: (row["account"], row["named by"]) for row in json.loads(done.stdout)}
    suite.same(names["explorer.exe"], ("INVAR\\owner", "logon session"), "without a registry")


def main():
    invar, forge, scenarios = map(os.path.abspath, sys.argv[1:4])

    def script(name):
        return os.path.join(scenarios, name, "scenario.lua")

    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(invar, forge, folder)
        for kernel in KERNELS:
            test_names(suite, script("clean-registry"), kernel)
        test_related(suite)
        test_forms(suite, script("clean-registry"))
        for kernel in (KERNELS[0], KERNELS[-2]):
            test_hostile(suite, script("unknown-registry"), kernel)
        test_missing(suite, script("clean-registry-trimmed"))
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
