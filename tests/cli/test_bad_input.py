#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever is given to the program, it answers with a sentence and the right status, soon and in little memory.

usage: test_bad_input.py INVAR FORGE SCENARIO INSIDE SHARED

INVAR_SHARED in the environment takes the place of SHARED; without such a folder, real headers are left out.
"""
import json
import os
import random
import resource
import subprocess
import sys
import tempfile

# A sanitized build reserves terabytes of address space; what it really uses is measured, not limited.
SECONDS = 60
RESIDENT_KB = 512 * 1024


class Suite:
    """Runs the program and counts what it did wrong."""

    def __init__(self, invar):
        self.invar = invar
        self.count = 0
        self.failed = 0

    def expect(self, what, arguments, statuses, says=None):
        """The status must be one of `statuses`; what it says must contain `says`; it must not have crashed."""
        self.count += 1
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        try:
            done = subprocess.run([self.invar, *arguments], capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            self.fail(what, f"no answer in {SECONDS} s")
            return None
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode not in statuses:
            self.fail(what, f"status {done.returncode}, expected one of {statuses}: {said[:1500]}")
        elif says and says not in said:
            self.fail(what, f"does not say '{says}', but: {said[:500]}")
        elif done.returncode in (2, 3) and not said.strip():
            self.fail(what, "says nothing")
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        if after > max(before, RESIDENT_KB):
            self.fail(what, f"used {after} KiB")
        return done

    def fail(self, what, why):
        self.failed += 1
        print(f"{what}: {why}")


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def test_usage(suite, image):
    suite.expect("no argument", [], {2})
    suite.expect("unknown command", ["frobnicate"], {2}, "neither a command nor a file")
    suite.expect("unknown option", ["check", "--frob", image], {2})
    suite.expect("unknown format", ["check", "--format", "xml", image], {2}, "unknown format")
    suite.expect("a format of check alone", ["ps", "--format", "html", image], {2}, "format 'html' is not for 'ps'")
    suite.expect("check as a page", ["check", "--format", "html", image], {0, 1})
    suite.expect("no image", ["check"], {2})
    suite.expect("too many arguments", ["info", image, image], {2})
    suite.expect("unknown invariant", ["explain", "Z99"], {2}, "'Z99'; 'invar explain' lists them")
    suite.expect("bad address", ["process", image, "0xzz"], {2})
    suite.expect("no such process", ["process", image, "99999"], {2})
    for command in ("process", "threads", "handles", "vads", "modules", "tokens", "power"):
        suite.expect(f"{command} of no PID", [command, image, "99999"], {2}, "no process has the PID 99999")
        suite.expect(f"{command} of no address", [command, image, "0x99999"], {2}, "no witness saw a process at 0x99999")
        suite.expect(f"{command} of a name", [command, image, "explorer"], {2}, "'invar ps' lists both")
    suite.expect("bad type", ["dt", image, "_NO_SUCH_TYPE"], {2}, "--symbols has all of them")
    for type_name in ("EPROCESS", "_eprocess", "nt!_EPROCESS", "_EPROCES"):
        suite.expect(f"type {type_name}", ["dt", image, type_name], {2}, "did you mean '_EPROCESS'?")
    suite.expect("bad member", ["dt", image, "_EPROCESS.UniqeProcessId"], {2}, "did you mean 'UniqueProcessId'?")
    suite.expect("no member", ["dt", image, "_EPROCESS.Nonsense"], {2}, "'invar dt IMAGE _EPROCESS' lists them")
    suite.expect("a PID for an address", ["dt", image, "_EPROCESS", "4"], {2}, "'4' is no address")
    suite.expect("bad number of threads", ["check", "--threads", "0", image], {2})
    suite.expect("cannot write", ["check", "-o", "/nonexistent/x", image], {2})
    suite.expect("help", ["--help"], {0})
    suite.expect("version", ["--version"], {0})
    for command in ("check", "info", "ps", "threads", "modules", "callbacks", "vads"):
        for form in ("text", "json", "ndjson", "csv"):
            suite.expect(f"{command} as {form}", [command, "--format", form, image], {0})
    suite.expect("image without a command", [image], {0})


def test_files(suite, folder):
    empty = write(os.path.join(folder, "empty"), b"")
    suite.expect("empty", ["check", empty], {3})
    suite.expect("directory", ["check", folder], {3})
    suite.expect("missing", ["check", os.path.join(folder, "missing")], {3})
    suite.expect("character device", ["check", "/dev/null"], {3})
    suite.expect("text", ["check", write(os.path.join(folder, "text"), b"not an image\n" * 100)], {3})
    suite.expect("one byte", ["check", write(os.path.join(folder, "one"), b"\0")], {3})
    if os.geteuid() != 0:
        closed = write(os.path.join(folder, "closed"), b"x")
        os.chmod(closed, 0)
        suite.expect("unreadable", ["check", closed], {3})
    for name, magic, command in (("gz", b"\x1f\x8b\x08\0", "gzip"), ("xz", b"\xfd7zXZ\0", "xz"),
                                 ("zst", b"\x28\xb5\x2f\xfd", "zstd"), ("lz4", b"\x04\x22\x4d\x18", "lz4")):
        suite.expect(name, ["check", write(os.path.join(folder, "x." + name), magic + bytes(4096))], {3}, command)
    huge = os.path.join(folder, "huge")
    with open(huge, "wb") as file:
        file.truncate(1 << 40)
    suite.expect("1 TiB of holes", ["check", huge], {3})
    suite.expect("broken symbol table", ["check", "--symbols", write(os.path.join(folder, "t.json"), b"{"), empty], {3})
    suite.expect("missing symbol table", ["check", "--symbols", os.path.join(folder, "none.json"), empty], {2, 3})


def flips(data, seed, count):
    """`data` with `count` bytes changed, most of them in the headers."""
    chooser = random.Random(seed)
    changed = bytearray(data)
    for _ in range(count):
        end = len(changed) if chooser.random() < 0.5 else min(len(changed), 0x3000)
        changed[chooser.randrange(end)] = chooser.randrange(256)
    return bytes(changed)


def test_damage(suite, folder, name, data):
    """Cut at many places, zeroed in part, and with bytes changed: never a crash, and always a status that is specified."""
    path = os.path.join(folder, "damaged")
    for cut in sorted({0, 1, 7, 8, 63, 64, 0xfff, 0x1000, 0x1fff, 0x2000, 0x2040, 0x3000, len(data) // 2, len(data) - 1}):
        if cut <= len(data):
            suite.expect(f"{name} cut at {cut:#x}", ["check", write(path, data[:cut])], {0, 1, 3, 4})
    for start in (0, 0x1000, 0x2000, len(data) // 3):
        zeroed = data[:start] + bytes(min(0x1000, len(data) - start)) + data[start + 0x1000:]
        suite.expect(f"{name} zeroed at {start:#x}", ["check", write(path, zeroed)], {0, 1, 3, 4})
    for seed in range(12):
        suite.expect(f"{name} with bytes changed, seed {seed}", ["check", write(path, flips(data, seed, 1 + seed * 40))],
                     {0, 1, 3, 4})


def extents(path):
    """Where a sparse file holds something."""
    with open(path, "rb") as file:
        end = os.path.getsize(path)
        at = 0
        while at < end:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            yield start, at


def damage_structures(path, seed, share):
    """Changes aligned words in memory: to others of the same image, to small numbers, to nothing."""
    chooser = random.Random(seed)
    places = [start for start, end in extents(path) for start in range(start, end, 4096)]
    with open(path, "r+b") as file:
        for place in chooser.sample(places, max(1, int(len(places) * share))):
            file.seek(place)
            page = bytearray(file.read(4096))
            for _ in range(8):
                used = [at for at in range(0, 4096, 8) if any(page[at:at + 8])]
                if not used:
                    break
                at = chooser.choice(used)
                other = chooser.choice(used)
                page[at:at + 8] = chooser.choice([page[other:other + 8], chooser.randbytes(8), bytes(8),
                                                  page[at:at + 2] + chooser.randbytes(1) + page[at + 3:at + 8]])
            file.seek(place)
            file.write(page)


def test_insides(suite, folder, forge, scenario):
    """What shows the memory of processes, over memory that was damaged here and there."""
    whole = os.path.join(folder, "whole")
    image = os.path.join(folder, "image")
    subprocess.run([forge, scenario, "-o", whole, "--memory", "128M"], check=True)
    rules = write(os.path.join(folder, "rules.yar"), b'rule any { strings: $a = "MZ" condition: $a }')
    listing = subprocess.run([suite.invar, "ps", "--format", "json", whole], capture_output=True, check=True).stdout
    pids = [str(process["pid"]) for process in json.loads(listing) if process["name"] in ("editor.exe", "setup.exe")]
    for seed in range(8):
        subprocess.run(["cp", "--sparse=always", whole, image], check=True)
        damage_structures(image, seed, (0.01, 0.05, 0.2, 0.5)[seed % 4])
        what = f"memory damaged with seed {seed}"
        statuses = {0, 1, 2, 3, 4}
        suite.expect(f"{what}: vads", ["vads", image], statuses)
        suite.expect(f"{what}: check", ["check", "--yara", rules, image], statuses)
        for pid in pids:
            suite.expect(f"{what}: modules", ["modules", image, pid], statuses)
            suite.expect(f"{what}: process", ["process", "--format", "json", image, pid], statuses)
            suite.expect(f"{what}: extract", ["extract", image, pid, "--all", "-o", f"{folder}/{seed}-{pid}"], statuses)


def test_shared(suite, shared):
    headers = os.path.join(shared, "samples", "headers")
    for name in sorted(os.listdir(headers)):
        suite.expect(name, ["check", os.path.join(headers, name)], {3})
        suite.expect("info of " + name, ["info", os.path.join(headers, name)], {0, 3})
    suite.expect("all zeros", ["check", os.path.join(shared, "samples", "dumps", "damaged-all-zero.dmp")], {3})


def main():
    invar, forge, scenario, inside = sys.argv[1:5]
    shared = os.environ.get("INVAR_SHARED") or sys.argv[5]
    suite = Suite(invar)
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "image")
        subprocess.run([forge, scenario, "-o", image, "--memory", "128M"], check=True)
        test_usage(suite, image)
        test_files(suite, folder)
        test_insides(suite, folder, forge, inside)
        for form in ("dmp", "bitmap", "kernel", "triage", "elf", "lime"):
            subprocess.run([forge, scenario, "-o", image, "--memory", "128M", "--format", form], check=True)
            with open(image, "rb") as file:
                data = file.read(8 << 20)
            test_damage(suite, folder, form, data)
        if os.path.isdir(os.path.join(shared, "samples")):
            test_shared(suite, shared)
        else:
            print("the headers and dumps of real machines are not there and were left out")
    print(f"{suite.count} runs, {suite.failed} not as expected")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
