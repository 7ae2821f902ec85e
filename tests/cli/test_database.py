#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The database says what the JSON reports say; what is no such database is refused, and a damaged one does no harm.

usage: test_database.py INVAR FORGE SCENARIOS DATABASE_PAGE
"""
import collections
import json
import os
import random
import re
import sqlite3
import stat
import subprocess
import sys
import tempfile

NAMES = ("attack-unlink", "attack-protected-opened", "clean-freed", "attack-orphan-thread")


class Suite:
    """Counts what is not as it should be."""

    def __init__(self, invar, folder):
        self.invar, self.folder = invar, folder
        self.count = self.failed = 0

    def expect(self, holds, what):
        self.count += 1
        if not holds:
            self.failed += 1
            print(what)

    def same(self, got, wanted, what):
        self.expect(got == wanted, f"{what}: {got} instead of {wanted}")

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments):
        return subprocess.run([self.invar, *arguments], capture_output=True, text=True, timeout=120, check=False)

    def add(self, database, name, statuses=(0, 1), says=None):
        done = self.run("check", "--format", "sqlite", "-o", self.path(database), self.path(name))
        self.expect(done.returncode in statuses, f"{name} into {database}: status {done.returncode}: {done.stderr}")
        if says:
            self.expect(says in done.stderr, f"{name} into {database} does not say '{says}': {done.stderr}")
        left = [entry for entry in os.listdir(self.folder) if entry.startswith(database + ".")]
        self.expect(not left, f"{left} was left behind")


# -- what each documented query must answer, from the JSON reports: {heading: function of [(image, report)]} --

def hidden(reports):
    return [(image, row["address"], row["pid"], row["name"], " ".join(sorted(row["missing_from"])) or None, len(row["seen_by"]))
            for image, report in reports for row in report["processes"] if row["state"] == "hidden"]


def techniques(reports):
    counts = collections.Counter((technique, row["id"]) for _, report in reports for row in report["findings"]
                                 for technique in row["attack"].split(", "))
    return sorted((technique, invariant, count) for (technique, invariant), count in counts.items())


def denied(reports):
    tiers = {row["id"]: row["tier"] for _, report in reports for row in report["witnesses"]}
    return sorted((image, row["address"], witness, tiers[witness]) for image, report in reports
                  for row in report["processes"] for witness in row["missing_from"])


def program(row):
    found = re.match(r"\\Device\\HarddiskVolume[^\\]*(\\.*)", row["path"] or "")
    name = found.group(1) if found else row["path"] or row["name"] or ""
    return "".join(c.lower() if c.isascii() else c for c in name) or None


def programs(reports):
    known = collections.defaultdict(list)
    for image, report in reports:
        for row in report["processes"]:
            if program(row):
                known[program(row)].append((image, row["state"]))
    return known


def on_several(reports):
    rows = [(name, len({image for image, _ in seen}), len(seen), sum(state == "hidden" for _, state in seen))
            for name, seen in programs(reports).items() if len({image for image, _ in seen}) > 1]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def on_one(reports):
    return sorted((name, seen[0][0]) for name, seen in programs(reports).items() if len({image for image, _ in seen}) == 1)


def unread(reports):
    rows = []
    for image, report in reports:
        rows += [(image, "witness", row["id"], row["void"], row["unreadable"] + row["broken"]) for row in report["witnesses"]
                 if row["void"] or row["unreadable"] or row["broken"]]
        rows += [(image, "invariant", row["id"], reason, count) for row in report["unknown"]
                 for reason, count in row["reasons"].items()]
    return sorted(rows, key=lambda row: (row[0], row[1], -row[4], row[2], row[3] or ""))


def against(reports):
    owned = ("process", "thread")
    return [(image, row["id"], *(piece[key] for key in ("witness", "tier", "field", "address", "value", "says")))
            for image, report in reports for row in report["findings"] if row["subject"]["kind"] in owned
            for piece in row["evidence"]]


def certain(reports):
    counts = collections.Counter((row["certainty"], row["tier"]) for _, report in reports for row in report["findings"])
    return sorted((*key, count) for key, count in counts.items())


def complete(reports):
    return [(image, report["image"]["path"], *(report["summary"][key] for key in (
        "judged", "holds", "broken", "observed", "excused", "unknown", "cut_short"))) for image, report in reports]


ANSWERS = {
    "Which processes are hidden?": hidden,
    "Which ATT&CK techniques do the findings show?": techniques,
    "Which witnesses deny a process that others see?": denied,
    "Who has a protected process open, and how?": None,  # from the handles: protected()
    "Which program runs on several machines?": on_several,
    "Which programs run on one machine only?": on_one,
    "What could not be read?": unread,
    "What speaks against a process?": against,
    "Which findings are the most certain, and which tier do they accuse?": certain,
    "Which threads has a hidden process, and where do they start?": None,  # from the listing: hidden_threads()
    "How complete is each check?": complete,
}


def documented(page):
    """{heading: query} of the page."""
    with open(page, encoding="utf-8") as file:
        return dict(re.findall(r"^### (.*?)\n\n```sql\n(.*?)```", file.read(), re.MULTILINE | re.DOTALL))


def command(suite, name, *arguments):
    return json.loads(suite.run(*arguments[:1], "--format", "json", suite.path(name), *arguments[1:]).stdout)


def protected(suite, names):
    """Handles to protected processes by what the listing of handles says; the forge protects lsass.exe alone."""
    rows = []
    for image, name in names:
        pids = {row["target_pid"] for row in command(suite, name, "power") if "protection" in (row["crosses"] or "")}
        for row in command(suite, name, "handles"):
            target = (row["target"] or "").split(" ")[0]
            if row["type"] == "Process" and target.isdigit() and int(target) in pids and int(target) != row["pid"]:
                rows.append((image, row["pid"], int(row["handle"], 16), row["rights"], int(target)))
    return rows


def hidden_threads(suite, names, reports):
    rows = []
    for (image, name), (_, report) in zip(names, reports):
        processes = {row["address"] for row in report["processes"] if row["state"] == "hidden"}
        rows += [(image, row["address"], row["tid"], row["win32 start"]) for row in command(suite, name, "threads", "--all")
                 if row["process"] in processes]
    return sorted(rows)


def test_queries(suite, page):
    database = sqlite3.connect(suite.path("case.db"))
    names = list(enumerate(NAMES, 1))
    reports = [(image, json.loads(suite.run("check", "--format", "json", suite.path(name)).stdout)) for image, name in names]
    queries = documented(page)
    suite.same(set(queries), set(ANSWERS), "documented queries")
    for heading, query in queries.items():
        got = database.execute(query).fetchall()
        if heading.startswith("Who has a protected"):
            wanted = protected(suite, names)
            suite.expect(wanted, "no protected process is open in any image")
        elif heading.startswith("Which threads"):
            wanted = hidden_threads(suite, names, reports)
            suite.expect(wanted, "no hidden process has a thread")
        else:
            wanted = ANSWERS[heading](reports)
        suite.expect(got == wanted, f"{heading}\n  {got[:4]}\n  instead of\n  {wanted[:4]}")
    test_tables(suite, database, reports)
    suite.same(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "integrity")
    suite.same(database.execute("PRAGMA foreign_key_check").fetchall(), [], "foreign keys")
    suite.same(database.execute("PRAGMA application_id").fetchone()[0], 0x496e7672, "application_id")
    suite.same(database.execute("PRAGMA user_version").fetchone()[0], 1, "user_version")
    database.close()


def test_tables(suite, database, reports):
    """Row for row, what both have."""
    for image, report in reports:
        processes = [tuple(row[key] for key in ("address", "physical", "pid", "ppid", "name", "path", "created", "exited", "state",
                                                "session", "threads", "handles", "role")) for row in report["processes"]]
        suite.same(database.execute("SELECT address, physical, pid, ppid, name, path, created, exited, state, session, threads,"
                                    " handles, role FROM processes WHERE image = ? ORDER BY address", (image,)).fetchall(),
                   sorted(processes), "processes")
        both = report["findings"] + report["observations"]
        suite.same(database.execute("SELECT invariant, statement, tier, certainty, subject, address, name FROM findings"
                                    " WHERE image = ? ORDER BY number", (image,)).fetchall(),
                   [(row["id"], row["statement"], row["tier"], row["certainty"], row["subject"]["kind"],
                     row["subject"]["address"], row["subject"]["name"]) for row in both], "findings")
        for table, wanted in (("excuses", sum(len(row["excuses_tried"]) for row in both)), ("excused", len(report["excused"])),
                              ("witnesses", len(report["witnesses"])),
                              ("testimony", sum(len(row["seen_by"] + row["missing_from"]) for row in report["processes"]))):
            suite.same(database.execute(f"SELECT count(*) FROM {table} WHERE image = ?", (image,)).fetchone()[0], wanted, table)
        sightings = dict(database.execute("SELECT witness, count(*) FROM sightings WHERE image = ? GROUP BY witness", (image,)))
        for row in report["witnesses"]:
            if row["id"] != "handles":
                suite.same(sightings.get(row["id"], 0), row["sightings"], f"sightings of {row['id']}")


def without_seconds(path):
    """The whole content, but for the time that each check took."""
    database = sqlite3.connect(path)
    database.execute("UPDATE image SET seconds = 0")
    lines = list(database.iterdump())
    database.close()
    return lines


def test_again(suite):
    """An image that comes again replaces itself, whatever its name is; the order of the others stays."""
    before = without_seconds(suite.path("case.db"))
    os.chmod(suite.path("case.db"), 0o640)
    suite.add("case.db", NAMES[1])
    changes = [pair for pair in zip(before, without_seconds(suite.path("case.db"))) if pair[0] != pair[1]]
    suite.expect(not changes, f"an image that is added again changes {changes[:2]}")
    suite.same(stat.S_IMODE(os.stat(suite.path("case.db")).st_mode), 0o640, "permissions of the file")
    os.link(suite.path(NAMES[0]), suite.path("renamed"))
    suite.add("case.db", "renamed")
    database = sqlite3.connect(suite.path("case.db"))
    suite.same(database.execute("SELECT path FROM image WHERE id = 1").fetchone()[0], suite.path("renamed"), "the new name")
    suite.same(database.execute("SELECT count(*) FROM image").fetchone()[0], len(NAMES), "images")
    database.close()
    for number in ("one", "two"):
        for name in NAMES[:2]:
            suite.add(number, name)
    first, second = (open(suite.path(number), "rb").read() for number in ("one", "two"))
    changed = [at for at in range(len(first)) if first[at] != second[at]] if len(first) == len(second) else None
    suite.expect(changed is not None and len(changed) <= 2 * 8, f"two databases of the same images differ: {changed}")
    os.symlink("one", suite.path("link"))
    suite.add("link", NAMES[2])
    suite.expect(os.path.islink(suite.path("link")), "a link was replaced rather than its file")


def changed(suite, name, statement):
    """A copy of the database in which somebody else did something."""
    with open(suite.path("case.db"), "rb") as file:
        data = file.read()
    with open(suite.path(name), "wb") as file:
        file.write(data)
    database = sqlite3.connect(suite.path(name))
    database.executescript(statement)
    database.close()


def test_refused(suite):
    """What is no such database is refused, and stays as it is."""
    expected = "expected a database that 'invar check --format sqlite' made"
    for name, statement, says in (
            ("schema", "PRAGMA user_version = 2", "found schema 2"),
            ("application", "PRAGMA application_id = 7", "found application 0x7"),
            ("table", "CREATE TABLE mine (x)", "found other tables"),
            ("column", "ALTER TABLE unknown ADD COLUMN mine TEXT", "found other tables"),
            ("trigger", "CREATE TRIGGER t AFTER INSERT ON image BEGIN DELETE FROM processes; END", "found other tables")):
        changed(suite, name, statement)
        with open(suite.path(name), "rb") as file:
            before = file.read()
        suite.add(name, NAMES[0], (2,), expected)
        suite.add(name, NAMES[0], (2,), says)
        with open(suite.path(name), "rb") as file:
            suite.expect(file.read() == before, f"{name}: a file that was refused was changed")
    for name, content in (("text", b"dear diary\n" * 100), ("short", b"SQLite format 3\0")):
        with open(suite.path(name), "wb") as file:
            file.write(content)
        suite.add(name, NAMES[0], (2,), expected)
    open(suite.path("empty"), "wb").close()
    suite.add("empty", NAMES[0])
    changed(suite, "orphan", "PRAGMA foreign_keys = OFF; INSERT INTO evidence VALUES (1, 9999, 0, 'w', 't', NULL, NULL, NULL, 's')")
    suite.add("orphan", NAMES[1], (2,), "damaged")
    suite.expect("needs a file" in suite.run("check", "--format", "sqlite", suite.path(NAMES[0])).stderr, "without -o")
    done = suite.run("check", "--format", "sqlite", "-o", suite.path(NAMES[0]), suite.path(NAMES[0]))
    suite.expect(done.returncode == 2 and "the image itself" in done.stderr, "the image as a database")
    suite.same(suite.run("check", "--format", "sqlite", "-o", suite.folder, suite.path(NAMES[0])).returncode, 2, "a folder")


def test_damaged(suite):
    """Bytes changed at random: an error or a whole database, never a crash, and never a half of one."""
    with open(suite.path("case.db"), "rb") as file:
        whole = file.read()
    for seed in range(24):
        chooser = random.Random(seed)
        data = bytearray(whole)
        for _ in range(1 + seed * 3):
            page = chooser.randrange(len(data) // 4096) if seed % 2 else chooser.randrange(4)
            data[page * 4096 + chooser.randrange(256 if seed % 3 else 4096)] = chooser.randrange(256)
        with open(suite.path("damaged"), "wb") as file:
            file.write(data[:len(data) * 2 // 3] if seed == 23 else data)
        suite.add("damaged", NAMES[2], (0, 1, 2))
        with open(suite.path("damaged"), "rb") as file:
            now = file.read()
        if now != bytes(data) and seed != 23:
            database = sqlite3.connect(suite.path("damaged"))
            suite.same(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)], f"seed {seed}: integrity")
            database.close()


def main():
    invar, forge, scenarios, page = map(os.path.abspath, sys.argv[1:5])
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(invar, folder)
        for name in NAMES:
            subprocess.run([forge, os.path.join(scenarios, name, "scenario.lua"), "-o", suite.path(name), "--memory", "128M"],
                           check=True)
            suite.run("check", suite.path(name))  # in some file systems the first to read a hole fills it
            suite.add("case.db", name)
        test_queries(suite, page)
        test_again(suite)
        test_refused(suite)
        test_damaged(suite)
    print(f"{suite.count} expectations, {suite.failed} not met")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
