#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks Volatility 3 what it sees in forged images and compares that with the truth.

usage: volatility.py FORGE [--vol VOL.PY] [--symbols FOLDER] [--kernels newest|ends|VERSION,...] [--keep FOLDER]

VOL.PY ($INVAR_VOLATILITY) is the program of a Volatility 3, version 2.11 or later; FOLDER ($INVAR_VOLATILITY_SYMBOLS) holds
symbol tables named GUID-AGE.json.xz. Without both nothing is compared, and the status is 77. Every answer is kept in
--keep FOLDER, so that another run asks only about images that changed.

Volatility opens a table that it lacks or cannot load for writing, in its symbol folder and even with --offline: it is given
copies in a folder of their own, never the folder itself and never links.
"""
import json
import os
import shutil
import string
import subprocess
import sys

import authority
import insides
from forged import CANONICAL, Answers, address, compare_families, leave_out, parser_of, seconds

WINDOWS_10 = 10240
AGE = 1  # of every table of kernels that the forge knows


class Volatility:
    """One Volatility 3, asked one plugin at a time."""

    def __init__(self, program, tables, scratch, keep, python="/usr/bin/python3"):
        self.program, self.tables, self.python = program, tables, python
        self.answers = Answers(keep)
        # The folder of caches may stay: to fill it takes longer than most plugins.
        self.work = os.path.join(keep or scratch, "volatility")
        self.symbols = os.path.join(self.work, "symbols")
        for folder in (os.path.join(self.symbols, "windows"), os.path.join(self.work, "cache")):
            os.makedirs(folder, exist_ok=True)
        self.version = self.run(["--help"]).stdout.splitlines()[0].strip()

    def run(self, arguments):
        return subprocess.run(
            [self.python, self.program, "-q", "--offline", "--cache-path", os.path.join(self.work, "cache"), "-s",
             self.symbols, *arguments], capture_output=True, text=True, check=False)

    def bring_table(self, kernel):
        """Copies the symbol table of a kernel; False if there is none."""
        name = f"{kernel['guid']}-{AGE}.json.xz"
        there = os.path.join(self.symbols, "windows", kernel["pdb"], name)
        source = os.path.join(self.tables, name)
        if not os.path.exists(there) and os.path.exists(source):
            os.makedirs(os.path.dirname(there), exist_ok=True)
            shutil.copyfile(source, there)
        return os.path.exists(there)

    def ask(self, forged, plugin, options=()):
        """The rows of a plugin, each with its children flattened out; None if it failed."""

        def now():
            if not self.bring_table(forged.kernel):
                sys.exit(f"no symbol table of {forged.kernel['version']} in {self.tables}")
            done = self.run(["-r", "json", "-f", forged.image, plugin, *options])
            try:
                return json.loads(done.stdout)
            except json.JSONDecodeError:
                print(f"{forged.name()}: {plugin} gave no rows: {done.stderr.strip()[-400:]}", file=sys.stderr)
                return None

        rows = self.answers.get([self.version, forged.digest, plugin, *options], now)
        return None if rows is None else list(flatten(rows, None))


def flatten(rows, parent):
    for row in rows:
        children = row.pop("__children", [])
        row["parent"] = parent
        yield row
        yield from flatten(children, row.get("PID"))


# -- what each plugin should show, from the truth alone ---------------------------------------------------------------


def shown_time(text):
    return text[:19].replace("T", " ") if text else None


def short_name(row):
    return row["name"][:14]


def process_row(row):
    # The last thread counts no more before the time of the exit is noted, and ends a little later.
    active = 0 if row["exited"] else sum(not thread["ended"] for thread in row["threads"])
    return (row["pid"], row["ppid"], short_name(row), active, row["session"], seconds(row["created"]),
            seconds(row["exited"]))


def found_process(row):
    return (row["PID"], row["PPID"], row["ImageFileName"], row["Threads"], row["SessionId"], shown_time(row["CreateTime"]),
            shown_time(row["ExitTime"]))


def found_processes(rows):
    return {row["Offset(V)"]: found_process(row) for row in rows}


def pslist(forged):
    return {address(row["address"]): process_row(row) for row in forged.listed()}


def plausible(row):
    """What EPROCESS.is_valid() of Volatility asks of a process, as far as an honest one can miss it."""
    return row["name"] != "Idle" and row["created"] is not None and row["pid"] % 4 == 0


def psscan(forged):
    """Every process in pool that Volatility takes for one; Idle stands in the kernel's image."""
    return {address(row["address"]): process_row(row) for row in forged.processes if plausible(row)}


def thread_rows(processes):
    return {address(thread["address"]): (thread["tid"], row["pid"], seconds(thread["created"]), address(thread["start"]))
            for row in processes for thread in row["threads"]}


def found_threads(rows):
    return {row["Offset"]: (row["TID"], row["PID"], shown_time(row["CreateTime"]), row["StartAddress"]) for row in rows}


def threads(forged):
    return thread_rows(forged.listed())


def thrdscan(forged):
    return thread_rows(row for row in forged.processes if row["name"] != "Idle")


def handle_name(handle):
    """The names of keys and files. Volatility leaves the root of the registry out, and has keys as their blocks do: in upper case."""
    if handle["type"] == "Key":
        return handle["name"].upper().partition("\\REGISTRY")[2].lstrip("\\")
    return handle["name"] if handle["type"] == "File" else None


def handles(forged):
    return {(row["pid"], handle["value"]): (address(handle["object"]), handle["type"], handle["access"], handle_name(handle))
            for row in forged.listed() for handle in row["handles"]}


def found_handles(rows):
    return {(row["PID"], row["HandleValue"]): (row["Offset"], row["Type"], row["GrantedAccess"],
                                               row["Name"] if row["Type"] in ("Key", "File") else None) for row in rows}


def nameable(row):
    """psxview shows only processes whose names are made of letters, '.' and ' '."""
    return plausible(row) and set(short_name(row)) <= set(string.ascii_letters + ". ")


def psxview(forged):
    by_csrss = {handle["object"] for row in forged.listed() if row["name"] == "csrss.exe" and row["exited"] is None
                for handle in row["handles"]}
    listed = {row["address"] for row in forged.listed()}
    return {address(row["address"]): (row["pid"], short_name(row), row["address"] in listed, True, bool(row["threads"]),
                                      row["address"] in by_csrss)
            for row in forged.processes if nameable(row)}


def found_views(rows):
    return {row.get("Offset(Virtual)", row.get("Offset(Physical)")):
            tuple(row[name] for name in ("PID", "Name", "pslist", "psscan", "thrdscan", "csrss")) for row in rows}


def modules(forged):
    return {address(row["base"]): (row["name"], row["path"], row["size"]) for row in forged.truth["modules"]}


def found_modules(rows):
    return {row["Base"]: (row["Name"], row["Path"], row["Size"]) for row in rows}


def info(forged):
    kernel = forged.kernel
    return {"Kernel Base": address(kernel["base"]), "DTB": address(kernel["dtb"]), "build": kernel["build"],
            "processors": kernel["cpus"], "SystemTime": seconds(kernel["system_time"]), "Is64Bit": "True",
            "NtMajorVersion": kernel["version"].split(".")[0], "NtMinorVersion": kernel["version"].split(".")[1]}


def found_info(rows):
    said = {row["Variable"]: str(row["Value"]) for row in rows}
    found = {"Kernel Base": int(said["Kernel Base"], 16), "DTB": int(said["DTB"], 16),
             "build": int(said["Major/Minor"].split(".")[1]), "processors": int(said["KeNumberProcessors"]),
             "SystemTime": said["SystemTime"][:19]}
    return found | {name: said.get(name) for name in ("Is64Bit", "NtMajorVersion", "NtMinorVersion")}


def pstree(forged):
    """The parent of each process: the one that it was created by, if it is listed still."""
    listed = {row["address"] for row in forged.listed()}
    return {address(row["address"]): (row["pid"], row["ppid"] if row["parent"] in listed else None, row["path"] or None)
            for row in forged.listed()}


def is_heir(forged, key):
    """Whether the PID of a process' parent is that of a listed process that came later."""
    child = next((row for row in forged.listed() if address(row["address"]) == key), None)
    return child is not None and any(row["pid"] == child["ppid"] and row["sequence"] > child["sequence"]
                                     for row in forged.listed())


def found_tree(rows):
    return {row["Offset(V)"]: (row["PID"], row["parent"], row["Audit"] or None) for row in rows}


def sessions(forged):
    return {row["pid"]: (short_name(row), row["session"], seconds(row["created"])) for row in forged.listed()}


def found_sessions(rows):
    return {row["Process ID"]: (row["Process"], row["Session ID"], shown_time(row["Create Time"])) for row in rows}


def kpcrs(forged):
    return {i: True for i in range(forged.kernel["cpus"])}


def found_kpcrs(rows):
    return dict(enumerate(len({row["Offset"] for row in rows}) == len(rows) for _ in rows))


PLUGINS = {
    "info": (info, found_info), "pslist": (pslist, found_processes), "psscan": (psscan, found_processes),
    "pstree": (pstree, found_tree), "thrdscan": (thrdscan, found_threads), "threads": (threads, found_threads),
    "handles": (handles, found_handles), "psxview": (psxview, found_views), "modules": (modules, found_modules),
    "modscan": (modules, found_modules), "sessions": (sessions, found_sessions), "kpcrs": (kpcrs, found_kpcrs),
} | authority.PLUGINS | insides.PLUGINS
# Scenario, format, plugins: asked of the newest kernel of each build. One answer takes seconds.
PLAN = [("clean-desktop", "raw", list(PLUGINS)), ("clean-desktop", "dmp", ["pslist", "info"]),
        ("clean-handles", "raw", ["handles"]), ("clean-zombie", "raw", ["pslist", "psxview"]),
        ("clean-live", "raw", ["pslist", "threads"]), ("clean-parents", "raw", ["pstree"]), ("clean-user-memory", "raw", list(insides.PLUGINS)),
        ("clean-user-threads", "raw", ["threads", *insides.PLUGINS]), ("clean-jit", "raw", ["malfind", "hollowprocesses"]),
        ("clean-token-kinds", "raw", ["getsids", "privileges"]), ("clean-handle-kinds", "raw", ["handles"]),
        ("clean-protected", "raw", ["handles"]), ("clean-driver-loaded", "raw", ["callbacks"]),
        ("clean-callbacks-many", "raw", ["callbacks"]), ("clean-callbacks-others", "raw", ["callbacks"]),
        ("attack-callbacks-in-pool", "raw", ["callbacks"]), ("clean-callbacks-taken-back", "raw", ["callbacks"]),
        ("clean-registry", "raw", ["handles", "getsids", "registry.hivelist"])]
# Asked of the oldest one.
PLAN_OLDEST = [("clean-live", "raw", ["pslist"])]


# By index, from 2 on: the forge's own choice.
TYPES = ("Type", "Directory", "SymbolicLink", "Token", "Job", "Process", "Thread", "Section", "File", "ALPC Port", "DebugObject",
         "Event", "Mutant", "Key")


def header_byte(forged, body, kind):
    """The byte of OBJECT_HEADER.TypeIndex: from Windows 10 on mixed with a cookie and the header's address."""
    if forged.kernel["build"] < WINDOWS_10 or kind not in TYPES:
        return None
    return TYPES.index(kind) + 2 ^ forged.kernel["header_cookie"] ^ (body - 0x30 >> 8 & 0xFF)


def is_wide(forged, key):
    """Whether this handle leads to a key whose name has two bytes a character."""
    return any(handle.get("wide") for row in forged.listed() if row["pid"] == key[0] for handle in row["handles"]
               if handle["value"] == key[1])


def excuse_of(forged, plugin):
    """The known faults of Volatility, each told by what it does to a row and not by the row being wrong."""
    top = 256 * 512 * 4  # the first handle of the second page of pointers: a table of three levels

    def excuse(key, row):
        if plugin == "handles" and row and header_byte(forged, row[0], row[1]) == 0:
            return "an encoded type index of 0 is skipped (handles.py, _make_handle_array)"
        if plugin == "handles" and max(row["value"] for process in forged.listed() if process["pid"] == key[0]
                                       for row in process["handles"]) >= top and key[1] >= 1024:
            return "values of handles in tables of three levels are counted wrong (handles.py, depth)"
        if plugin == "handles" and row and row[1] == "Key" and is_wide(forged, key):
            return "a name of two bytes a character is taken for one of one byte (registry.py, get_full_key_name)"
        if plugin == "callbacks":
            return authority.callback_fault(forged, key, row)
        if plugin == "pstree" and row and row[1] is None and is_heir(forged, key):
            return "who has the parent's PID now is taken for the parent, though it came later"
        if plugin == "psxview" and row and row[5] and header_byte(forged, key, "Process") == 0:
            return "csrss's handle is skipped: an encoded type index of 0"
        return None

    return excuse


def by_content(rows):
    return {str(row): row for row in rows.values()}


def compare(volatility, forged, plugin, tally):
    expected, found = PLUGINS[plugin]
    # Before Windows 10 memory is scanned by physical address, which the truth does not tell; and psxview compares those
    # addresses with virtual ones unless it is asked to translate.
    physical = forged.kernel["build"] < WINDOWS_10 and plugin in ("psscan", "thrdscan", "modscan", "psxview")
    rows = volatility.ask(forged, f"windows.{plugin}",
                          ["--physical-offsets"] if physical and plugin == "psxview" else [])
    if rows is None:
        tally.missing += len(expected(forged))
        return
    want, have = expected(forged), found(rows)
    if plugin in insides.CLAIMS:
        have = {key: row for key, row in have.items() if insides.speaks(forged, key)}
    if physical:
        want, have = by_content(want), by_content(have)
    tally.compare(forged.name(), want, have, excuse_of(forged, plugin))


def start(arguments, scratch):
    volatility = Volatility(arguments.vol, arguments.symbols, scratch, arguments.keep)
    print(volatility.version)

    def compare_image(forged, rest, tallies):
        for plugin in rest[0]:
            compare(volatility, forged, plugin, tallies[plugin])
        return ()

    return compare_image


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--vol", default=os.environ.get("INVAR_VOLATILITY"))
    arguments = parser.parse_args()
    if not arguments.vol or not arguments.symbols:
        leave_out("no Volatility 3 named (--vol and --symbols, or INVAR_VOLATILITY and INVAR_VOLATILITY_SYMBOLS)")
    return compare_families(arguments, (PLAN, PLAN_OLDEST), PLUGINS, False, lambda scratch: start(arguments, scratch))


if __name__ == "__main__":
    sys.exit(main())
