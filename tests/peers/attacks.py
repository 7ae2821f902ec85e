#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows forged lies to the peers and to Invar, and writes who still names the process lied about, as a table in Markdown.

usage: attacks.py INVAR FORGE [--inside|--authority] [--vol VOL.PY] [--memprocfs FOLDER] [--symbols FOLDER] [--kernel VERSION] [--keep FOLDER]

With --inside the lies are about what is in a process, and the plugins of Volatility those that look there; with --authority they are
about tokens, handles, callbacks and parents, and each peer is asked for the list of these: it shows what it shows as it was before
the lie, or with rows that are gone, other or new. FindEvil: what it says of this machine and not of the honest one.

The peers are found as volatility.py and memprocfs.py find them; a peer that is not named has no column. Without any the
status is 77.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import authority
from forged import Forged, address, choose_kernels, leave_out
from memprocfs import (MemProcFs, read_findings, read_handles, read_privileges, read_processes, read_sids,
                       read_threads)
from volatility import PLUGINS, Volatility

# Scenario, what was done, whose record (a process by its name, which the others do not have), what is done before.
ATTACKS = [
    ("unlink", "off the active list", "notepad.exe"),
    ("unlink", "the same, while System holds a handle to it", "notepad.exe", "open(m.system, m.notepad)\n"),
    ("tag-unlinked", "off the active list, pool tag wiped", "notepad.exe"),
    ("all-lists", "off every list at once", "ghost.exe"),
    ("everything-but-threads", "the same; headers, name and tags wiped, its root without an owner", "notepad.exe"),
    ("unlink-half", "one forward link skips it", "notepad.exe"),
    ("relink", "listed, at another place of the list", "notepad.exe"),
    ("pid-odd", "listed, PID 1237", "odd.exe"),
    ("pid-rewritten", "listed, another PID written into it", "notepad.exe"),
    ("pid-twin", "listed, with the PID of another", "twin.exe"),
    ("cid-erase", "listed, its entry of PspCidTable erased", "notepad.exe"),
    ("signalled", "listed, SignalState forged", "notepad.exe"),
    ("exit-time", "listed, ExitTime forged", "notepad.exe"),
    ("root-zero", "listed, page table root of zeros", "notepad.exe"),
    ("root-copy", "listed, page table root a copy", "notepad.exe"),
    ("shared-dtb", "listed, page table root of another", "notepad.exe"),
    ("type-index", "listed, type index of a job", "notepad.exe"),
    ("header-wiped", "listed, object header wiped", "notepad.exe"),
    ("session-list", "listed, off its session's list", "notepad.exe"),
    ("mm-list", "listed, off the memory manager's list", "notepad.exe"),
    ("handle-dropped", "listed, one of its handles wiped", "cmd.exe"),
    ("thread-unlink", "listed, one of its threads off its list", "explorer.exe"),
    ("thread-process", "listed, one of its threads given to another", "notepad.exe"),
]
# The same of lies about the inside of a process. The program is host.exe where the scenario starts one.
INSIDE = [
    ("hollow", "the program unmapped, another one in private memory in its place", "host.exe"),
    ("hollow-rx", "the same, and nothing of it can be written", "host.exe"),
    ("hollow-section", "the image of another file mapped in its place", "host.exe"),
    ("hollow-in-place", "another program written over the mapped one", "host.exe"),
    ("ghost", "run from a file that is to be deleted", None),
    ("doppelganger", "run from a file opened in a transaction", None),
    ("herpaderp", "the file changed after the image was made", None),
    ("module-unlink", "a module off the loader's lists, its code patched", None),
    ("module-wiped", "the same, its header wiped", None),
    ("loader-empty", "the loader's lists emptied", None),
    ("reflective", "a DLL in private memory", None),
    ("reflective-headless", "the same without its header", None),
    ("peb-path", "ImagePathName of the PEB is another program's", None),
    ("name", "ImageFileName overwritten", None),
    ("vad-unlinked", "a VAD out of the tree", None),
    ("vad-protection", "the protection of a VAD rewritten", None),
    ("pte-execute-private", "the NX bit of a private page cleared", None),
    ("pte-remap", "a PTE leads to a page of another process", None),
    ("page-without-range", "a page that no VAD covers", None),
    ("remote-thread", "a thread in private memory", "explorer.exe"),
    ("apc", "an APC into private memory", "explorer.exe"),
    ("hijack", "a thread sent to private memory", "notepad.exe"),
    ("stack-pivot", "a thread on a stack elsewhere", "notepad.exe"),
]
# The same of lies about what processes may do, who watches them, and who made them. The process may be none: then the lie is about
# the machine. The word says what is looked at.
AUTHORITY = [
    ("steal-token", "points at the token of System", "cmd.exe", "token"),
    ("steal-token-equal", "points at the token of a process of its session", "notepad.exe", "token"),
    ("boot-token", "points at the token that Idle shares with System", "notepad.exe", "token"),
    ("token-user", "its user made LocalSystem, the hash made anew", "svchost.exe", "token"),
    ("token-integrity", "its label made that of System", "cmd.exe", "token"),
    ("token-groups", "its label's index beyond its groups", "cmd.exe", "token"),
    ("privileges", "all privileges enabled", "cmd.exe", "token"),
    ("privileges-present", "all bits of all three masks set", "cmd.exe", "token"),
    ("privilege-debug", "SeDebugPrivilege added and enabled", "cmd.exe", "token"),
    ("token-session", "the session of its token changed", "cmd.exe", "token"),
    ("plant-token", "System's token planted on a thread", "notepad.exe", "token"),
    ("impersonation", "a thread said to impersonate nobody", "notepad.exe", "token"),
    ("protection", "made protected", "notepad.exe", "token"),
    ("handle-granted", "all rights of a process written into a handle to an event", "cmd.exe", "entry"),
    ("protected-opened", "all rights written into a handle to protected lsass.exe", "cmd.exe", "entry"),
    ("handle-nowhere", "a handle leads to no object", "cmd.exe", "handles"),
    ("handle-dropped", "a handle wiped out of its table", "cmd.exe", "entry"),
    ("table-unlink", "its handle table off the list", "notepad.exe", "handles"),
    ("callbacks-process", "all slots of process routines cleared", None, "callbacks"),
    ("callback-slot", "one slot of them cleared", None, "callbacks"),
    ("callback-counted", "one slot of thread routines cleared, the count lowered", None, "callbacks"),
    ("callback-mask", "the kernel told to call none", None, "callbacks"),
    ("callback-ret", "the code of one returns at once", None, "callbacks"),
    ("callback-jump", "the code of one jumps into pool", None, "callbacks"),
    ("callback-nowhere", "the block of one leads into pool", None, "callbacks"),
    ("registry-callbacks", "all registry routines unlinked", None, "callbacks"),
    ("object-callbacks", "all routines for handles unlinked", None, "callbacks"),
    ("object-disabled", "one of them disabled", None, "callbacks"),
    ("type-method", "the open method of a type replaced", None, "callbacks"),
    ("ci-callback", "a routine of code integrity replaced", None, "callbacks"),
    ("threat-silent", "the threat intelligence provider disabled", None, "callbacks"),
    ("callback-others", "routines for shut-down, file systems and prints lead into pool", None, "callbacks"),
    ("parent-spoofed", "named explorer.exe as its parent when it was created", "child.exe", "parent"),
    ("parent-unborn", "a process that came later written in as its parent", "notepad.exe", "parent"),
    ("parent-never", "a parent written in that never was", "notepad.exe", "parent"),
    ("parent-zero", "PID 0 written in as its parent", "notepad.exe", "parent"),
    ("parent-self", "itself written in as its parent", "notepad.exe", "parent"),
    ("parent-thread", "a thread's identifier written in as its parent", "notepad.exe", "parent"),
]
VIEWS = ("pslist", "psscan", "thrdscan", "csrss")
EVERYWHERE = set()  # what is said of every forged process


def yes(value):
    return "yes" if value else "no"


def target_of(forged, name):
    """The process of this name; without one, the only one that was lied about."""
    if name:
        return next(row for row in forged.processes if row["name"] == name)
    attacked = {attack["process"] for attack in forged.truth["attacks"]} | set(forged.truth["attacked"])
    return next(row for row in forged.processes if row["address"] in attacked)


def seen_of(expected, found):
    """How many of the expected are among the found: yes, no, or the number."""
    seen = sum(item in found for item in expected)
    return yes(seen) if seen in (0, len(expected)) else f"{seen} of {len(expected)}"


def volatility_cells(volatility, forged, target):
    at = address(target["address"])
    threads = {address(row["address"]) for row in target["threads"]}

    def rows(plugin):
        return volatility.ask(forged, f"windows.{plugin}") or []

    def listed(plugin):
        return yes(any(row["Offset(V)"] == at for row in rows(plugin)))

    view = next((row for row in rows("psxview") if row["Offset(Virtual)"] == at), None)
    missing = [name for name in VIEWS if view and not view[name]]
    return [listed("pslist"), listed("psscan"), seen_of(threads, {row["Offset"] for row in rows("thrdscan")}),
            seen_of(threads, {row["Offset"] for row in rows("threads")}),
            yes(any(row["Offset"] == at for row in rows("handles"))),
            "not shown" if not view else "False: " + ", ".join(missing) if missing else "all True"]


def inside_cells(volatility, forged, target):
    """What the plugins that look into processes say of this one."""

    def rows(plugin, key="PID"):
        return [row for row in volatility.ask(forged, f"windows.{plugin}") or [] if row[key] == target["pid"]]

    exe = target["path"].rsplit("\\", 1)[-1]
    unlisted = [row for row in rows("ldrmodules", "Pid")
                if not (row["InLoad"] and row["InMem"] and (row["InInit"] or (row["MappedPath"] or "").endswith(exe)))]
    return [yes(rows("hollowprocesses")), yes(rows("processghosting")), yes(unlisted), yes(rows("malfind"))]


def remarks_cells(peer, forged, target):
    said = peer.ask(forged)
    return memprocfs_cells(peer, forged, target)[2:] if said else ["does not open the image"]


def memprocfs_cells(peer, forged, target):
    said = peer.ask(forged)
    if not said:
        return ["does not open the image", ""]
    at, shown = address(target["address"]), read_processes(said["processes"])
    pids = [pid for pid in shown if address(said["by_pid"][str(pid)]["eprocess"].strip() or "0") == at]
    threads = {key for texts in said["by_pid"].values() for key, _ in read_threads(texts["threads"])}
    remarks = [f"flag {shown[pid][2]}" for pid in pids if shown[pid][2]]
    remarks += sorted({kind for pid, kind in read_findings(said["findevil"]) if pid in pids} - EVERYWHERE)
    remarks += [line.split("]", 1)[1].strip() for line in said["log"] if f"'{target['pid']}'" in line][:1]
    listed = seen_of({address(row["address"]) for row in target["threads"]}, threads)
    return [yes(pids), listed, "; ".join(remarks) or "none"]


# -- of authority: whether what is shown is as it was, as it was forged to be, or not there ----------------------------------


def shown(before, now):
    """How an answer compares with what stood there before the lie, row by row."""
    if now == before:
        return "as before"
    gone, other = len(set(before) - set(now)), sum(key in now and now[key] != row for key, row in before.items())
    new = len(set(now) - set(before))
    return ", ".join(f"{count} {word}" for count, word in ((gone, "gone"), (other, "other"), (new, "new")) if count)


def before(forged, honest, target):
    """What the process had when it was made: a truth tells of a token that was exchanged what it is now."""
    twin = next((row for row in honest.processes if row["name"] == target["name"] and row["pid"] == target["pid"]), None)
    return honest if twin else forged


def of_pid(rows, pid):
    return {key: row for key, row in rows.items() if key[0] == pid}


def volatility_token(volatility, forged, target, honest):
    truth = before(forged, honest, target)
    cells = []
    for plugin, (expected, found) in (("getsids", authority.PLUGINS["getsids"]),
                                      ("privileges", authority.PLUGINS["privileges"])):
        rows = found(volatility.ask(forged, f"windows.{plugin}") or [])
        cells.append(f"{plugin}: " + shown(of_pid(expected(truth), target["pid"]), of_pid(rows, target["pid"])))
    return "; ".join(cells)


def shown_handles(forged, target, rows, what):
    text = shown(of_pid(PLUGINS["handles"][0](forged), target["pid"]), of_pid(rows, target["pid"]))
    return "handles: " + ("as forged" if what == "entry" and text == "as before" else text)


def volatility_handles(volatility, forged, target, what):
    return shown_handles(forged, target, PLUGINS["handles"][1](volatility.ask(forged, "windows.handles") or []), what)


def volatility_callbacks(volatility, forged):
    expected, found = authority.PLUGINS["callbacks"]
    rows, wanted = found(volatility.ask(forged, "windows.callbacks") or []), expected(forged)
    # What it does not show, or shows otherwise, of an honest machine as well says nothing of the lie.
    faults = {key for key, row in wanted.items() if authority.callback_fault(forged, key, row)}
    parts = []
    for title, in_pool in (("callbacks", False), ("their blocks in pool", True)):
        want, have = ({key: row for key, row in of.items() if (key[0] == authority.BLOCKS) == in_pool and key not in faults}
                      for of in (wanted, rows))
        nowhere = sum(key not in want and not row[0] for key, row in have.items())
        parts.append(f"{title}: {shown(want, have)}" + (f" ({nowhere} without a module)" if nowhere else ""))
    return "; ".join(parts)


def volatility_parent(volatility, forged, target):
    rows = volatility.ask(forged, "windows.pstree") or []
    row = next((row for row in rows if row["Offset(V)"] == address(target["address"])), None)
    if not row:
        return "pstree: not shown"
    above = next((each["ImageFileName"] for each in rows if each["PID"] == row["parent"]), None)
    return "pstree: under " + above if above else "pstree: at the top"


def memprocfs_shows(peer, forged, target, what, honest):
    said = peer.ask(forged)
    if not said:
        return "does not open the image"
    if what == "callbacks":
        return "shows none"
    texts = said["by_pid"].get(str(target["pid"]), {})
    if what in ("handles", "entry"):
        return shown_handles(forged, target, dict(read_handles(texts.get("handles", ""))), what)
    if what == "parent":
        rows = read_processes(said["processes"])
        above = rows[target["pid"]][0] if target["pid"] in rows else None
        return "not shown" if above is None else "PPID of " + (rows[above][1] if above in rows else "nobody")
    truth = before(forged, honest, target)
    token = next(row["token"] for row in truth.processes if row["pid"] == target["pid"])
    sids = {(target["pid"], index): sid for index, sid in enumerate(read_sids(texts.get("sids", "")))}
    want = {bit: row for (_, bit), row in of_pid(authority.privileges(truth), target["pid"]).items() if any(row)}
    integrity = texts.get("integrity", "").strip()
    level = authority.INTEGRITY.get(token["integrity"])
    return "; ".join(["SIDs: " + shown(of_pid(authority.getsids(truth), target["pid"]), sids),
                      "privileges: " + shown(want, dict(read_privileges(texts.get("privileges", "")))),
                      "integrity: " + ("as before" if integrity == level else integrity or "none")])


def remarks_of(said, forged):
    """What FindEvil says, by the names of processes, for their identifiers differ between images."""
    names = {row["pid"]: row["name"] for row in forged.processes}
    return {(names.get(pid, pid), kind) for pid, kind in read_findings(said["findevil"])} if said else set()


def authority_row(volatility, peer, forged, target, what, honest, usual):
    cells = []
    if volatility:
        if what == "token":
            cells.append(volatility_token(volatility, forged, target, honest))
        elif what == "callbacks":
            cells.append(volatility_callbacks(volatility, forged))
        elif what == "parent":
            cells.append(volatility_parent(volatility, forged, target))
        else:
            cells.append(volatility_handles(volatility, forged, target, what))
    if peer:
        new = remarks_of(peer.ask(forged), forged) - usual
        cells.append(memprocfs_shows(peer, forged, target, what, honest))
        cells.append("; ".join(sorted(f"{kind} {name}" for name, kind in new)) or "none")
    return cells


def authority_table(arguments, kernel, scratch, volatility, peer):
    heads = ["scenario", "what was done"] + (["Volatility"] if volatility else []) + (
        ["MemProcFS", "FindEvil"] if peer else []) + ["Invar"]
    print("| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads))
    honest = Forged(arguments.forge, scratch, "clean-callback-inside", kernel, crowd=True)
    usual = remarks_of(peer.ask(honest), honest) if peer else set()
    for scenario, done, name, what in AUTHORITY:
        forged = Forged(arguments.forge, scratch, f"attack-{scenario}", kernel, crowd=True)
        target = target_of(forged, name) if name else None
        cells = authority_row(volatility, peer, forged, target, what, honest, usual)
        said = invar_cells(arguments.invar, forged, target or forged.processes[0])[0]
        cells.append(said if target else said.split(": ", 1)[1])
        print("| " + " | ".join([scenario, done, *cells]) + " |", flush=True)


def invar_cells(invar, forged, target):
    done = subprocess.run([invar, "check", "--format", "json", forged.image], capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    named = next((row for row in report["processes"] if row["address"] == target["address"]), None)
    broken = sorted({finding["id"] for finding in report["findings"]})
    seen = sorted({row["id"] for row in report["observations"]})
    return [(named["state"] if named else "not found") + ": " + (" ".join(broken) or "nothing broken") +
            ("; observed " + " ".join(seen) if seen else "")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("invar")
    parser.add_argument("forge")
    parser.add_argument("--vol", default=os.environ.get("INVAR_VOLATILITY"))
    parser.add_argument("--memprocfs", default=os.environ.get("INVAR_MEMPROCFS"))
    parser.add_argument("--symbols", default=os.environ.get("INVAR_VOLATILITY_SYMBOLS"))
    parser.add_argument("--kernel", default="10.0.19041.3570")
    parser.add_argument("--keep")
    parser.add_argument("--inside", action="store_true")
    parser.add_argument("--authority", action="store_true")
    arguments = parser.parse_args()
    if not arguments.symbols or not (arguments.vol or arguments.memprocfs):
        leave_out("no peer named (--vol or --memprocfs, and --symbols)")
    heads = ["scenario", "what was done"]
    kernel = choose_kernels(arguments.forge, arguments.kernel)[0]
    with tempfile.TemporaryDirectory() as scratch:
        peers = []
        if arguments.vol:
            volatility = Volatility(arguments.vol, arguments.symbols, scratch, arguments.keep)
            peers.append((inside_cells if arguments.inside else volatility_cells, volatility))
            heads += ["hollowprocesses", "processghosting", "ldrmodules", "malfind"] if arguments.inside else [
                "pslist", "psscan", "thrdscan", "threads", "handles", "psxview"]
        if arguments.memprocfs:
            peer = MemProcFs(arguments.memprocfs, arguments.symbols, scratch, arguments.keep)
            peers.append((remarks_cells if arguments.inside else memprocfs_cells, peer))
            heads += ["MemProcFS"] if arguments.inside else ["MemProcFS: process", "threads", "remarks"]
        if arguments.authority:
            asked = [next((peer for _, peer in peers if isinstance(peer, kind)), None) for kind in (Volatility, MemProcFs)]
            authority_table(arguments, kernel, scratch, *asked)
            return 0
        peers.append((invar_cells, arguments.invar))
        print("| " + " | ".join([*heads, "Invar"]) + " |\n|" + " --- |" * (len(heads) + 1))
        for scenario, done, name, *more in INSIDE if arguments.inside else ATTACKS:
            forged = Forged(arguments.forge, scratch, f"attack-{scenario}", kernel, crowd=True, more="".join(more))
            target = target_of(forged, name)
            cells = [cell for ask, peer in peers for cell in ask(peer, forged, target)]
            print("| " + " | ".join([scenario, done, *cells]) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
