# SPDX-License-Identifier: Apache-2.0
"""What Volatility's plugins about the insides of processes should show, from the truth alone: (expected, found) by plugin."""
from forged import CANONICAL, address

# PAGE_* as Volatility prints them, by the five bits of a VAD.
PROTECTIONS = ["PAGE_NOACCESS", "PAGE_READONLY", "PAGE_EXECUTE", "PAGE_EXECUTE_READ", "PAGE_READWRITE", "PAGE_WRITECOPY",
               "PAGE_EXECUTE_READWRITE", "PAGE_EXECUTE_WRITECOPY"]
VOLUME = "\\Device\\HarddiskVolume"
EXECUTE_READWRITE = 6


def volume_relative(path):
    """\\Device\\HarddiskVolume3\\a -> \\a, as a FILE_OBJECT has it."""
    return path[path.index("\\", len(VOLUME)):] if path and path.startswith(VOLUME) else path


def protection(vad):
    return PROTECTIONS[vad["protection"]] if vad["protection"] < len(PROTECTIONS) else None


def vadinfo(forged):
    return {(row["pid"], vad["start"]): (address(vad["address"]), int(vad["end"], 16) - 1, vad["type"] == "private",
                                         protection(vad), volume_relative(vad["file"]))
            for row in forged.listed() for vad in row["vads"]}


def found_vads(rows):
    known = set(PROTECTIONS)
    return {(row["PID"], hex(row["Start VPN"])): (row["Offset"] & CANONICAL, row["End VPN"], bool(row["PrivateMemory"]),
                                                  row["Protection"] if row["Protection"] in known else None, row["File"])
            for row in rows}


def speaking(forged):
    """Processes whose memory says something of which the truth knows: a clone's is a copy, and what exited has none."""
    return [row for row in forged.listed() if row["exited"] is None and row.get("loader")]


def speaks(forged, key):
    pid = key[0] if isinstance(key, tuple) else key
    return any(row["pid"] == pid for row in speaking(forged))


def wide_loader(row):
    return [entry for entry in row["loader"] if not entry["wow64"]]


def dlllist(forged):
    return {(row["pid"], int(entry["base"], 16)): entry["name"]
            for row in speaking(forged) for entry in wide_loader(row) if entry["load"]}


def found_dlls(rows):
    return {(row["PID"], row["Base"]): row["Path"] for row in rows}


def ldrmodules(forged):
    rows = {}
    for row in speaking(forged):
        listed = {entry["base"]: entry for entry in wide_loader(row)}
        for module in row.get("modules") or []:
            entry = listed.get(module["base"], {"load": False, "memory": False, "initialization": False})
            rows[row["pid"], int(module["base"], 16)] = (entry["load"], entry["initialization"], entry["memory"],
                                                         volume_relative(module["path"]))
    return rows


def found_ldrmodules(rows):
    return {(row["Pid"], row["Base"]): (row["InLoad"], row["InInit"], row["InMem"], row["MappedPath"]) for row in rows}


def cmdline(forged):
    return {row["pid"]: row["command_line"] for row in speaking(forged)}


def found_cmdlines(rows):
    return {row["PID"]: row["Args"] for row in rows if row["Args"] and not row["Args"].startswith("Required memory")}


def malfind(forged):
    """Private ranges that were made to be written to and executed. (Of those with content, which forged ones have.)"""
    return {(row["pid"], vad["start"]): True for row in forged.listed() for vad in row["vads"]
            if vad["type"] == "private" and vad["protection"] == EXECUTE_READWRITE}


def found_malfind(rows):
    return {(row["PID"], hex(row["Start VPN"])): True for row in rows}


def hollowprocesses(_forged):
    """Of honest machines: nothing."""
    return {}


def found_hollow(rows):
    return {(row["PID"], row["Notes"]): True for row in rows}


CLAIMS = ("dlllist", "ldrmodules", "cmdline")  # that show what processes say of themselves
PLUGINS = {
    "vadinfo": (vadinfo, found_vads), "dlllist": (dlllist, found_dlls), "ldrmodules": (ldrmodules, found_ldrmodules),
    "cmdline": (cmdline, found_cmdlines), "malfind": (malfind, found_malfind),
    "hollowprocesses": (hollowprocesses, found_hollow),
}
