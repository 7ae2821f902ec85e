#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks MemProcFS what it sees in forged images and compares that with the truth.

usage: memprocfs.py FORGE [--memprocfs FOLDER] [--symbols FOLDER] [--kernels newest|ends|VERSION,...] [--keep FOLDER]

The first FOLDER ($INVAR_MEMPROCFS) holds vmm.so and leechcore.so, the second ($INVAR_VOLATILITY_SYMBOLS) symbol tables named
GUID-AGE.json.xz. Without both nothing is compared, and the status is 77.

MemProcFS finds processes without symbols; for threads, handles, times and drivers it looks into a database, info.db, beside
its library. One with the symbols of the kernel in question is made from the tables, so that nothing is fetched.
"""
import ctypes
import json
import lzma
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time

import authority
from forged import Answers, address, compare_families, leave_out, parser_of, seconds

SWITCHES = ["-disable-symbolserver", "-disable-python", "-disable-yara", "-norefresh", "-waitinitialize", "-printf", "-v"]
CHUNK = 1 << 20
NT = "NT AUTHORITY"
# SIDs that are the same on every machine (winnt.h), for rules of FindEvil ask whether a user is one of them.
WELL_KNOWN = [("S-1-5-18", NT, "SYSTEM"), ("S-1-5-19", NT, "LOCAL SERVICE"), ("S-1-5-20", NT, "NETWORK SERVICE"),
              ("S-1-5-7", NT, "ANONYMOUS LOGON"), ("S-1-1-0", "", "Everyone"), ("S-1-5-11", NT, "Authenticated Users"),
              ("S-1-5-32-544", "BUILTIN", "Administrators"), ("S-1-5-32-545", "BUILTIN", "Users")]
TABLES = """
CREATE TABLE dbinfo(type TEXT, value INTEGER);
CREATE TABLE pdb(id INTEGER, guidage TEXT);
CREATE TABLE symbol_offset(hash INTEGER PRIMARY KEY, data INTEGER);
CREATE TABLE type_size(hash INTEGER PRIMARY KEY, data INTEGER);
CREATE TABLE type_child(hash INTEGER PRIMARY KEY, data INTEGER);
CREATE TABLE static_type_size(module TEXT, type TEXT, arch INTEGER, build INTEGER, value INTEGER);
CREATE TABLE static_type_child(module TEXT, type TEXT, child TEXT, arch INTEGER, build INTEGER, value INTEGER);
CREATE TABLE sid(sid TEXT, domain TEXT, name TEXT);
CREATE TABLE cert(hash INTEGER);
"""


def hash32(name):
    """The hash under which info.db keeps a name: each character added after a rotation to the right by 13."""
    value = 0
    for byte in name.encode():
        value = ((value >> 13 | value << 19) + byte) & 0xFFFFFFFF
    return value


def write_database(path, table, guid, age):
    """An info.db with the symbols and types of one kernel, which gets the number 1."""
    with lzma.open(table) as file:
        known = json.load(file)
    one = 1 + (1 << 32)
    with sqlite3.connect(path) as base:
        base.executescript(TABLES)
        base.executemany("INSERT INTO dbinfo VALUES (?, ?)", [("version", 1), ("created", int(time.time()))])
        base.executemany("INSERT INTO sid VALUES (?, ?, ?)", WELL_KNOWN)
        base.execute("INSERT INTO pdb VALUES (1, ?)", (f"{guid.upper()}{age:X}",))
        base.executemany("INSERT OR IGNORE INTO symbol_offset VALUES (?, ?)",
                         ((hash32(name) + (1 << 32), row["address"]) for name, row in known["symbols"].items()))
        for name, row in known["user_types"].items():
            base.execute("INSERT OR IGNORE INTO type_size VALUES (?, ?)", (hash32(name) + (1 << 32), row["size"]))
            base.executemany("INSERT OR IGNORE INTO type_child VALUES (?, ?)",
                             (((hash32(field) << 32) + hash32(name) + one & (1 << 63) - 1, place["offset"])
                              for field, place in row["fields"].items()))
    base.close()


# -- in a process of its own, for a library may hang or fall ----------------------------------------------------------


class Session:
    """The library at work on one image."""

    def __init__(self, folder, image, forensic):
        ctypes.CDLL(os.path.join(folder, "leechcore.so"), mode=ctypes.RTLD_GLOBAL)
        self.vmm = ctypes.CDLL(os.path.join(folder, "vmm.so"))
        self.vmm.VMMDLL_Initialize.restype = ctypes.c_void_p
        words = ["", "-device", image, *SWITCHES, *(["-forensic", "1"] if forensic else [])]
        self.handle = ctypes.c_void_p(
            self.vmm.VMMDLL_Initialize(len(words), (ctypes.c_char_p * len(words))(*[w.encode() for w in words])))
        if not self.handle:
            sys.exit("MemProcFS does not open the image")
        self.vmm.VMMDLL_InitializePlugins(self.handle)
        for _ in range(600 if forensic else 0):
            if self.read(r"\forensic\progress_percent.txt").strip() == "100":
                break
            time.sleep(0.1)

    def read(self, path):
        text, buffer, got = b"", ctypes.create_string_buffer(CHUNK), ctypes.c_uint32()
        while True:
            got.value = 0
            self.vmm.VMMDLL_VfsReadU(self.handle, path.encode(), buffer, CHUNK, ctypes.byref(got),
                                         ctypes.c_uint64(len(text)))
            if not got.value:
                return text.decode("utf-8", "replace")
            text += buffer.raw[:got.value]


def answer_all(folder, image, forensic, output):
    session = Session(folder, image, forensic)
    said = {"processes": session.read(r"\sys\proc\proc.txt"), "sysinfo": session.read(r"\sys\sysinfo\sysinfo.txt"),
            "modules": session.read(r"\pid\4\modules\modules.txt"), "by_pid": {},
            "findevil": session.read(r"\forensic\findevil\findevil.txt") if forensic else ""}
    for pid in read_processes(said["processes"]):
        said["by_pid"][pid] = {name: session.read(rf"\pid\{pid}\{path}") for name, path in
                               (("eprocess", "win-eprocess.txt"), ("dtb", "dtb.txt"),
                                ("threads", r"threads\threads.txt"), ("handles", r"handles\handles.txt"),
                                ("sids", r"token\sid-all.txt"), ("privileges", r"token\privileges.txt"),
                                ("integrity", r"token\integrity.txt"))}
    with open(output, "w", encoding="utf-8") as file:
        json.dump(said, file)
    sys.stdout.flush()
    os._exit(0)  # its threads need not be waited for


# -- reading what it wrote --------------------------------------------------------------------------------------------

TIME = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\*\*\*)"


def read_processes(text):
    """PID: (parent, name, flags, created, exited)."""
    rows = {}
    for line in text.splitlines():
        match = re.match(rf"-+ (.+?)\s+(\d+)\s+(\d+) (.{{6}}).*?{TIME}(?: UTC)?\s+{TIME}", line)
        if match:
            name, pid, parent, flags, created, exited = match.groups()
            rows[int(pid)] = (int(parent), name, flags.strip(), created.strip("*") or None, exited.strip("*") or None)
    return rows


def read_columns(text, wanted):
    """Rows of a table whose columns end under their heads."""
    lines = text.splitlines()
    if not lines:
        return
    heads = [(match.group(), match.end()) for match in re.finditer(r"\S+", lines[0])]
    for line in lines[2:]:
        row, begin = {}, 0
        for head, end in heads:
            if head in wanted:
                row[head] = line[begin:end].strip()
            begin = end
        if line.strip():
            yield row, line


def read_threads(text):
    for row, line in read_columns(text, ("PID", "TID", "ETHREAD", "StartAddress")):
        created = re.search(rf"\[{TIME}", line)
        yield address(row["ETHREAD"]), (int(row["TID"]), int(row["PID"]), created.group(1), address(row["StartAddress"]))


def read_handles(text):
    for line in text.splitlines()[2:]:
        match = re.match(r"[0-9a-f]{4}\s+(\d+)\s+([0-9a-f]+)\s+([0-9a-f]+)\s+([0-9a-f]+) (.{0,16})", line)
        if match:
            pid, value, body, access, kind = match.groups()
            yield (int(pid), int(value, 16)), (address(body), kind.strip(), int(access, 16))


def read_sids(text):
    return [line.split()[-1] for line in text.splitlines()[2:]]


def read_privileges(text):
    """Bit: present, enabled and enabled by default."""
    for line in text.splitlines()[2:]:
        match = re.match(r"\s*([0-9a-f]+)\s+([e-])([p-])([d-])\s", line)
        if match:
            enabled, present, default = (flag != "-" for flag in match.groups()[1:])
            yield int(match.group(1), 16), (present, enabled, default)


def read_modules(text):
    for line in text.splitlines()[2:]:
        match = re.match(r"[0-9a-f]{4}\s+\d+\s+([0-9a-f]+) ([0-9a-f]+)-([0-9a-f]+)\s+(\S+)", line)
        if match:
            pages, start, _, name = match.groups()
            yield address(start), (name, int(pages, 16))


def read_findings(text):
    """What FindEvil says: PID and type."""
    for line in text.splitlines()[2:]:
        match = re.match(r"[0-9a-f]{4}\s+(\d+) (.{14}) (\S+)", line)
        if match:
            yield int(match.group(1)), match.group(3)


class MemProcFs:
    """One MemProcFS, asked one image at a time."""

    def __init__(self, folder, tables, scratch, keep):
        self.tables, self.answers = tables, Answers(keep)
        self.work = os.path.join(scratch, "memprocfs")
        os.makedirs(self.work)
        for name in ("vmm.so", "leechcore.so"):
            shutil.copy(os.path.join(folder, name), self.work)
        self.guid = None

    def ask(self, forged, forensic=True):
        """What it says, None if it does not open the image."""
        return self.answers.get(["MemProcFS", "tokens", forged.digest, forensic], lambda: self.ask_now(forged, forensic))

    def ask_now(self, forged, forensic):
        guid, age = forged.kernel["guid"], forged.kernel["age"]
        if self.guid != guid:
            database = os.path.join(self.work, "info.db")
            if os.path.exists(database):
                os.unlink(database)
            write_database(database, os.path.join(self.tables, f"{guid}-{age}.json.xz"), guid, age)
            self.guid = guid
        output = os.path.join(self.work, "answer.json")
        if os.path.exists(output):
            os.unlink(output)
        done = subprocess.run(
            [sys.executable, os.path.abspath(__file__), "--answer", self.work, forged.image,
             "1" if forensic else "0", output],
            capture_output=True, text=True, check=False, timeout=300)
        if not os.path.exists(output):
            print(f"{forged.name()}: {(done.stdout + done.stderr).strip()[-400:]}", file=sys.stderr)
            return None
        with open(output, encoding="utf-8") as file:
            said = json.load(file)
        said["log"] = [line for line in done.stdout.splitlines() if "PID" in line]
        return said


# -- what it should show, from the truth alone ------------------------------------------------------------------------


def fault_of_handles(key, row):
    """Of a table of three levels only the first 512 pages are read (vmmwin.c: cTablesMax is that of two levels), and of the rights 24
    bits of 25 (dwGrantedAccess): ACCESS_SYSTEM_SECURITY is the 25th."""
    if row and key[1] >= 512 * 1024:
        return "of a handle table only 512 pages are read"
    return "of the rights 24 bits are shown" if row and row[2] >> 24 else None


def compare_tokens(said, forged, tallies):
    """What stands in the primary token of each process."""
    where, rows = forged.name(), authority.with_token(forged)
    texts = {row["pid"]: said["by_pid"].get(str(row["pid"]), {}) for row in rows}
    tallies["SIDs"].compare(where, authority.getsids(forged), {
        (pid, index): sid for pid, of in texts.items() for index, sid in enumerate(read_sids(of.get("sids", "")))})
    want = {key: row for key, row in authority.privileges(forged).items() if any(row)}
    tallies["privileges"].compare(where, want, {
        (pid, bit): row for pid, of in texts.items() for bit, row in read_privileges(of.get("privileges", ""))})
    tallies["integrity"].compare(where, {
        row["pid"]: authority.INTEGRITY.get(row["token"]["integrity"]) for row in rows}, {
        pid: of.get("integrity", "").strip() for pid, of in texts.items()})


def compare(said, forged, tallies):
    where, listed = forged.name(), forged.listed()
    shown = read_processes(said["processes"])
    found = {address(said["by_pid"][str(pid)]["eprocess"].strip() or "0"): (pid, *row) for pid, row in shown.items()}
    tallies["processes"].compare(where, {
        address(row["address"]): (row["pid"], row["ppid"], row["name"][:14], "T" if row["state"] == "zombie" else
                                  "32" if row.get("wow64") else "", seconds(row["created"]), seconds(row["exited"]))
        for row in listed}, found)
    compare_tokens(said, forged, tallies)
    every = said["by_pid"].values()
    tallies["threads"].compare(where, {
        address(thread["address"]): (thread["tid"], row["pid"], seconds(thread["created"]), address(thread["start"]))
        for row in listed for thread in row["threads"]},
        {key: value for texts in every for key, value in read_threads(texts["threads"])})
    tallies["handles"].compare(where, {
        (row["pid"], handle["value"]): (address(handle["object"]), handle["type"], handle["access"])
        for row in listed for handle in row["handles"]},
        {key: value for texts in every for key, value in read_handles(texts["handles"])}, fault_of_handles)
    tallies["modules"].compare(where, {
        address(row["base"]): (row["name"], (row["size"] + 0xFFF) // 0x1000) for row in forged.truth["modules"]},
        dict(read_modules(said["modules"])))
    tallies["build"].compare(where, {"build": str(forged.kernel["build"]), "time": seconds(forged.kernel["system_time"])}, {
        "build": re.search(r"\(build (\d+)\)\s*$", said["sysinfo"], re.M).group(1),
        "time": re.search(rf"Current Time:\s+{TIME}", said["sysinfo"]).group(1)})


# clean-live is left out: its world has no smss.exe, to which MemProcFS looks for the version.
PLAN = [("clean-desktop", "raw"), ("clean-desktop", "dmp"), ("clean-handles", "raw"), ("clean-zombie", "raw"),
        ("clean-jobs", "raw"), ("clean-token-kinds", "raw"), ("clean-handle-kinds", "raw"), ("clean-protected", "raw")]
LISTS = ("build", "processes", "threads", "handles", "modules", "SIDs", "privileges", "integrity")


def start(arguments, scratch):
    peer = MemProcFs(arguments.memprocfs, arguments.symbols, scratch, arguments.keep)

    def compare_image(forged, _, tallies):
        said = peer.ask(forged)
        if not said:
            tallies["build"].missing += 1
            return ()
        compare(said, forged, tallies)
        return [kind for _, kind in read_findings(said["findevil"])]

    return compare_image


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "--answer":
        answer_all(sys.argv[2], sys.argv[3], sys.argv[4] == "1", sys.argv[5])
    parser = parser_of(__doc__)
    parser.add_argument("--memprocfs", default=os.environ.get("INVAR_MEMPROCFS"))
    arguments = parser.parse_args()
    if not arguments.memprocfs or not arguments.symbols:
        leave_out("no MemProcFS named (--memprocfs and --symbols, or INVAR_MEMPROCFS and INVAR_VOLATILITY_SYMBOLS)")
    return compare_families(arguments, (PLAN, PLAN[:1]), LISTS, True, lambda scratch: start(arguments, scratch))


if __name__ == "__main__":
    sys.exit(main())
