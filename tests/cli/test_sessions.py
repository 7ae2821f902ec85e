#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""'invar sessions' shows who leads each session, who is registered there, jobs within jobs and silos.

usage: test_sessions.py INVAR FORGE
"""
import json
import os
import subprocess
import sys
import tempfile

MACHINE = """machine{kernel = "22000"}
local m = desktop()
process{name = "csrss.exe", parent = m.smss, session = 0, threads = 2} -- only a name
local service = process{name = "services.exe", parent = 600, session = 0, threads = 2}
local outer = job({m.explorer}, nil)
job({m.notepad}, outer)
process{name = "clone.exe", parent = m.cmd, session = 1, clone_of = m.cmd}
process{name = "early.exe", parent = m.cmd, session = 1}
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local inside = silo{smss}
local csrss = process{name = "csrss.exe", parent = smss, session = 2, threads = 2}
leaders(inside, smss, csrss)
leaders(nil, m.smss, m.csrss)
process{name = "host.exe", parent = service, session = 0, threads = 2, user = "localservice"}
process{name = "old.exe", parent = m.explorer, session = 1, threads = 2, gui = true, wow64 = true}
"""
# By name: what it is, and what some of the sources say of it.
CLASSES = {
    "notepad.exe": (["gui", "graphics"], {"image": "windows", "header": "windows", "peb": "windows", "console": "none",
                                          "routines": "gui", "loader": "gui", "ranges": "gui", "win32k": "gui",
                                          "threads": "gui", "desktops": "gui", "dxgkrnl": "graphics",
                                          "csrss": "client", "token": "none", "silo": "none"}),
    "cmd.exe": (["console"], {"image": "console", "console": "console", "routines": "none", "loader": "none",
                              "ranges": "none", "win32k": "none", "threads": "none", "desktops": "none",
                              "dxgkrnl": "none", "csrss": "client"}),
    "clone.exe": (["console"], {"image": "console", "threads": "none"}),
    "host.exe": (["headless", "service"], {"token": "service", "image": "windows", "win32k": "none"}),
    "old.exe": (["gui", "graphics"], {"routines": "gui", "loader": "gui", "ranges": "gui"}),
    "System": (["graphics"], {"image": "none", "header": None, "csrss": "none"}),
    "Idle": ([], {"image": "none", "header": None}),
}

CONNECTED = """machine{kernel = "22000"}
local first = process{name = "csrss.exe", parent = 504, session = 0, threads = 4, csrss = true}
process{name = "services.exe", parent = 504, session = 0, threads = 2}
local m = desktop()
for id = 2, 4 do
    process{name = "csrss.exe", parent = 600, session = id, threads = 4, csrss = true}
    process{name = "winlogon.exe", parent = 600, session = id, threads = 2}
    process{name = "explorer.exe", parent = 616, session = id, threads = 2}
end
session(3, {state = "disconnected-logged-on"})
session(4, {state = "initialized"})
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local inside = silo{smss}
local csrss = process{name = "csrss.exe", parent = smss, session = 5, threads = 4, csrss = true}
process{name = "app.exe", parent = smss, session = 5, threads = 2}
local new = process{name = "new.exe", parent = smss, session = 5, threads = 1, registered = false}
for _, name in ipairs{"kernel32.dll", "KERNELBASE.dll"} do unload(new, name) end
suspend(new.threads[1])
leaders(inside, smss, csrss)
silo_sessions(inside, 5)
"""


def states(expect, answer):
    """Of each session what it is for and how it is connected, and in which silo its csrss is."""
    rows = {row["session"]: row for row in answer["sessions"]}
    kinds = {number: row["state"] for number, row in rows.items() if number != "none"}
    expect(kinds == {0: "services", 1: "console", 2: "remote", 3: "disconnected", 4: None, 5: "services"}, kinds)
    expect(rows["none"]["state"] is None and rows["none"]["proof"] is None, rows["none"])
    expect(rows[1]["proof"] == "ActiveConsoleId" and rows[3]["proof"] == "IoState", "proofs")
    expect("not connected yet" in rows[4]["proof"] and rows[4]["io_state"] == "Initialized", rows[4])
    expect(rows[5]["proof"] == "ServiceSessionId of its silo", rows[5])
    inside = {row["silo"] for row in answer["processes"] if row["name"] == "app.exe"}
    expect(inside == {rows[5]["silo"]} and rows[2]["silo"] == "0x0" != rows[5]["silo"], f"silos {inside}")
    expect(rows[5]["csrss_proof"] == "ExpDefaultErrorPortProcess of its silo", rows[5])
    expect(all(row["references"] == row["processes"] for number, row in rows.items() if number != "none"), "references")
    expect(all(row["record"] == "yes" for row in answer["processes"] if row["name"] == "app.exe"), "record")
    new = next(row for row in answer["processes"] if row["name"] == "new.exe")
    expect(new["why"] == "starting" and new["record"] == "no", new)


def main():
    invar, forge = sys.argv[1:3]
    failed = []

    def expect(holds, what):
        if not holds:
            failed.append(what)

    with tempfile.TemporaryDirectory() as folder:
        script, image, truth = (os.path.join(folder, name) for name in ("m.lua", "m.img", "m.json"))
        def make(machine):
            with open(script, "w", encoding="utf-8") as file:
                file.write(machine)
            subprocess.run([forge, script, "-o", image, "--truth", truth], check=True)

        def ask(*options):
            done = subprocess.run([invar, "sessions", image, *options], capture_output=True, text=True, check=False)
            expect(done.returncode == 0 and not done.stderr, f"{options}: {done.returncode} {done.stderr}")
            return done.stdout

        make(CONNECTED)
        states(expect, json.loads(ask("--format", "json")))
        make(MACHINE)
        answer = json.loads(ask("--format", "json"))
        expect("gui graphics" in ask(), "no class for people")
        done = subprocess.run([invar, "check", image, "--format", "json"], capture_output=True, text=True, check=False)
        checked = {row["name"]: row for row in json.loads(done.stdout)["processes"]}
        done = subprocess.run([invar, "process", image, str(checked["cmd.exe"]["pid"]), "--format", "json"],
                              capture_output=True, text=True, check=False)
        sources = {row["source"]: row for row in json.loads(done.stdout)["class"]}
        with open(truth, encoding="utf-8") as file:
            made = {row["address"] for row in json.load(file)["processes"]}
    sessions = {row["session"]: row for row in answer["sessions"]}
    expect(set(sessions) == {0, 1, 2, "none"}, f"sessions {set(sessions)}")
    expect(sessions[0]["csrss"] == "not known", "a name made a csrss")
    expect(sessions[1]["csrss_proof"] == "ExpDefaultErrorPortProcess of the host", sessions[1])
    expect(sessions[1]["leader_proof"] == "MiSessionLeaderProcess of the host", sessions[1])
    expect(sessions[2]["leader_proof"] == "MiSessionLeaderProcess of its silo", sessions[2])
    expect(sessions[2]["csrss"].endswith(" csrss.exe"), sessions[2])
    expect(sessions[0]["leader"] == sessions[1]["leader"] != sessions[2]["leader"], "leaders")
    rows = answer["processes"]
    expect({row["address"] for row in rows} == made, "not the processes that were made")
    named = {row["name"]: row for row in rows}
    expect(named["notepad.exe"]["gui"] == "yes" and named["cmd.exe"]["gui"] == "no", "GUI")
    expect(named["System"]["registered"] == "no" and named["System"]["why"] == "system", named["System"])
    expect({row["why"] for row in rows if row["name"] == "smss.exe"} == {"native"}, "smss")
    expect(sum(row["silo"] not in ("0x0", None) for row in rows) == 2, "silo")
    # One of the csrsses of this machine bears only the name: what the lists lack is not known.
    expect(named["notepad.exe"]["record"] == "yes" and named["System"]["record"] == "unknown", "records of csrss")
    for name, (what, claims) in CLASSES.items():
        class_of = checked[name]["class"]
        expect(class_of["is"] == what, f"{name} is {class_of['is']}")
        expect((named[name]["class"] or "").split() == what, f"{name} in sessions: {named[name]['class']}")
        for source, says in claims.items():
            expect(class_of["claims"][source] == says, f"{name}: {source} says {class_of['claims'][source]}")
    expect({row["class"] for row in rows if row["name"] == "smss.exe" and row["silo"] == "0x0"} == {"native"}, "smss")
    expect(any(row["class"] == "native container" for row in rows), "no class in a container")
    expect(sources["all together"]["says"] == "console" and sources["image"]["value"] == "0x3", f"sources {sources}")
    expect(set(sources) - {"all together"} == set(checked["cmd.exe"]["class"]["claims"]), "sources of a dossier")
    desktops = {(row["session"], row["desktop"]): row for row in answer["desktops"]}
    on_default = desktops[1, "Default"]["processes"]
    expect("notepad.exe" in on_default and "cmd.exe" not in on_default, f"desktops {desktops}")
    expect(desktops[1, "Default"]["complete"] == "yes" and desktops[1, "Default"]["seen_through"], f"desktops {desktops}")
    jobs = answer["jobs"]
    within = [row for row in jobs if row["depth"] == 1]
    expect(len(jobs) == 3 and len(within) == 1, jobs)
    expect(within and within[0]["within"] == named["explorer.exe"]["job"], "nesting")
    expect(within and within[0]["processes"].endswith("notepad.exe"), "members")
    for what in failed:
        print(what)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
