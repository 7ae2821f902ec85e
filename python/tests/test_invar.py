#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python module over a built libinvar: test_invar.py PACKAGE LIBRARY INVAR FORGE SCENARIO EXAMPLE"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from html.parser import HTMLParser

PACKAGE, LIBRARY, INVAR, FORGE, SCENARIO, EXAMPLE = sys.argv[1:7]
sys.path.insert(0, PACKAGE)
sys.dont_write_bytecode = True
os.environ["INVAR_LIBRARY"] = LIBRARY
os.environ["PYTHONPATH"] = PACKAGE

import invar  # noqa: E402  pylint: disable=wrong-import-position

HOSTILE = """
local m = desktop()
process{parent = m.explorer, name = "<b>&\\"'\\27[31m", command_line = "</td><script>x</script>"}
"""


def program(*arguments):
    done = subprocess.run([INVAR, *arguments], capture_output=True, text=True, timeout=120, check=False)
    return json.loads(done.stdout)


class Tags(HTMLParser):
    """The elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not attrs, attrs


class Module(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.folder.name, "image")
        subprocess.run([FORGE, SCENARIO, "-o", cls.path], check=True)
        cls.image = invar.open(cls.path, threads=2)

    @classmethod
    def tearDownClass(cls):
        cls.image.close()
        cls.folder.cleanup()

    def notepad(self):
        return next(process for process in self.image.check().processes if process.name == "notepad.exe")

    def test_report(self):
        raw = program("check", "--format", "json", self.path)
        report = self.image.check()
        self.assertEqual([finding.id for finding in report.findings], [finding["id"] for finding in raw["findings"]])
        self.assertEqual(len(report.processes), raw["summary"]["processes"])
        self.assertEqual(report.summary.broken, raw["summary"]["broken"])
        self.assertEqual(report.kernel.build, raw["kernel"]["build"])
        self.assertEqual(hex(report.kernel.base), raw["kernel"]["base"])
        raw["summary"]["seconds"] = report.raw["summary"]["seconds"]
        self.assertEqual(report.raw, raw)
        notepad = self.notepad()
        self.assertEqual(notepad.state, "hidden")
        self.assertIn("active-list", notepad.missing_from)
        finding = next(finding for finding in report.findings if finding.id == "L01")
        self.assertEqual(finding.subject.address, notepad.address)
        self.assertEqual(str(finding.subject), f"process {notepad.pid} notepad.exe at {notepad.address}")
        self.assertTrue(all(evidence.says for evidence in finding.evidence))
        self.assertGreater(invar.moment(notepad.created), invar.moment(report.raw["kernel"]["boot_time"]))

    def test_listings(self):
        pid = str(self.notepad().pid)
        self.assertEqual(list(self.image.processes()), program("ps", "--format", "json", self.path))
        self.assertEqual(list(self.image.tree(everything=True)), program("tree", "--all", "--format", "json", self.path))
        for name in "threads", "handles", "power", "modules", "vads":
            with self.subTest(name):
                listing = getattr(self.image, name)
                self.assertEqual(list(listing()), program(name, "--format", "json", self.path))
                self.assertEqual(list(listing(int(pid))), program(name, "--format", "json", self.path, pid))
        self.assertEqual(list(self.image.tokens()), program("tokens", "--format", "json", self.path))
        self.assertEqual(self.image.tokens(int(pid)), program("tokens", "--format", "json", self.path, pid))
        for name in "sessions", "callbacks":
            raw = program(name, "--format", "json", self.path)
            self.assertEqual({key: list(table) for key, table in getattr(self.image, name)().items()}, raw)
        self.assertEqual(self.image.info(), program("info", "--format", "json", self.path))

    def test_dossier(self):
        notepad = self.notepad()
        raw = program("process", "--format", "json", self.path, str(notepad.pid))
        self.assertEqual(self.image.process(notepad.pid), raw)
        self.assertEqual(self.image.process(notepad.address), raw)
        self.assertEqual(self.image.process(hex(notepad.address)), raw)

    def test_structure(self):
        fields = self.image.structure("_EPROCESS", self.notepad().address)
        self.assertEqual(len(fields.where(member="UniqueProcessId")), 1)
        self.assertIn("value", fields.columns)
        self.assertNotIn("value", self.image.structure("_EPROCESS").columns)

    def test_catalogues(self):
        self.assertEqual(invar.explain("L03")["id"], "L03")
        self.assertEqual([row["id"] for row in invar.invariants()], [row["id"] for row in program("explain", "--format", "json")])
        self.assertEqual(list(invar.witnesses()), program("witnesses", "--format", "json"))
        self.assertEqual(subprocess.run([INVAR, "--version"], capture_output=True, text=True, check=True).stdout,
                         f"invar {invar.__version__}\n")

    def test_errors(self):
        with self.assertRaises(invar.OpenError) as caught:
            invar.open("/nonexistent")
        self.assertIn("/nonexistent", str(caught.exception))
        self.assertIsInstance(caught.exception, OSError)
        empty = os.path.join(self.folder.name, "empty")
        with open(empty, "wb") as file:
            file.truncate(1 << 20)
        with self.assertRaises(invar.NoKernelError):
            invar.open(empty)
        for call in (lambda: self.image.process(999999), lambda: self.image.structure("_NOTHING"),
                     lambda: invar.explain("X99"), lambda: self.image.vads("notepad")):
            with self.assertRaises(invar.UsageError):
                call()

    def test_context(self):
        with invar.open(self.path) as image:
            self.assertEqual(len(image.processes()), len(self.image.processes()))
        image.close()
        with self.assertRaises(ValueError):
            image.check()

    def test_log(self):
        symbols = os.path.join(self.folder.name, "symbols")
        os.mkdir(symbols)
        for name in "some.pdb", "some.json":
            with open(os.path.join(symbols, name), "wb") as file:
                file.write(b"{")
        lines = []
        with invar.open(self.path, symbols=symbols, log=lines.append) as image:
            self.assertTrue(image.processes())
        self.assertIn("some.pdb", "".join(lines))
        self.assertFalse([line for line in lines if "\n" in line])

    def test_interrupt(self):
        over = threading.Event()

        def interrupt():
            while not over.is_set():
                self.image.interrupt()
                self.assertGreaterEqual(self.image.progress().done, 0)

        hammer = threading.Thread(target=interrupt)
        hammer.start()
        report = self.image.check()
        over.set()
        hammer.join()
        self.assertIn("interrupted", json.dumps(report.raw))
        self.assertNotIn("interrupted", json.dumps(self.image.check().raw))
        self.assertEqual(self.image.progress(), invar.Progress("", 0, 0))

    def test_threads_take_turns(self):
        counts = []
        workers = [threading.Thread(target=lambda: counts.append(len(self.image.processes()))) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(counts, [len(self.image.processes())] * 4)

    def test_hostile_names_are_inert(self):
        scenario, path = (os.path.join(self.folder.name, name) for name in ("hostile.lua", "hostile"))
        with open(scenario, "w", encoding="utf-8") as file:
            file.write(HOSTILE)
        subprocess.run([FORGE, scenario, "-o", path], check=True)
        with invar.open(path) as image:
            table, report = image.processes(), image.check()
        self.assertTrue(any((row["name"] or "").startswith("<b>") for row in table))
        page = table._repr_html_() + report._repr_html_()
        self.assertEqual(Tags(page).tags - {"p"}, {"table", "thead", "tbody", "tr", "th", "td"})
        for shown in page, str(table), str(report.process_table()):
            self.assertNotIn("\x1b", shown)
        self.assertIn("\\x1b[31m", str(table))

    def test_table(self):
        table = invar.Table([{"a": 1, "b": "x\u202ey\x07"}, {"a": 2, "b": None, "absent": {"b": "paged out"}}])
        self.assertEqual(table.columns, ("a", "b"))
        self.assertEqual(str(table), "a  b\n1  x\\u202ey\\x07\n2")
        self.assertEqual(table[1:], invar.Table([table[1]], table.columns))
        many = invar.Table([{"a": i} for i in range(2500)])
        self.assertIn("1500 more rows are not shown", many._repr_html_())
        self.assertEqual(str(invar.Table([])), "")
        self.assertIn("<table>", invar.Table([])._repr_html_())

    def test_example(self):
        done = subprocess.run([sys.executable, EXAMPLE, self.path], capture_output=True, text=True, check=False)
        wanted = "".join(f"{finding.id} {finding.subject.kind} {finding.subject.address}\n" for finding in self.image.check().findings)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, wanted, ""))
        done = subprocess.run([sys.executable, EXAMPLE, "/nonexistent"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("/nonexistent", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
