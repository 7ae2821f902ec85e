#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The build refuses tables that do not fit the lists, and the readers of the distiller read what they should."""

import os
import shutil
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import distil  # noqa: E402
import gen_facts  # noqa: E402


class Refused(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("layouts.tsv", "kernels.tsv", "symbols.tsv", "builds.tsv"):
            shutil.copy(os.path.join(ROOT, "facts", name), self.folder)

    def change(self, name, function):
        path = os.path.join(self.folder, name)
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        function(lines)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def row(self, lines, start):
        return next(i for i, line in enumerate(lines) if line.startswith(start + "\t"))

    def refused(self, expected):
        with self.assertRaises(SystemExit) as caught:
            gen_facts.main([self.folder, os.path.join(self.folder, "out.c")])
        self.assertIn(expected, str(caught.exception.code))
        self.assertIn("run tools/distil.py", str(caught.exception.code))

    def test_unchanged_tables_are_taken(self):
        self.assertEqual(gen_facts.main([self.folder, os.path.join(self.folder, "out.c")]), 0)

    def test_missing_row(self):
        self.change("layouts.tsv", lambda lines: lines.pop(self.row(lines, "_EPROCESS.Token")))
        self.refused("'_EPROCESS.Token' is expected")

    def test_extra_row(self):
        self.change("layouts.tsv", lambda lines: lines.append(lines[-1].replace("_KUSER", "_OTHER")))
        self.refused("_OTHER_SHARED_DATA")

    def test_short_row(self):
        def cut(lines):
            at = self.row(lines, "_EPROCESS.Token")
            lines[at] = lines[at].rsplit("\t", 1)[0]

        self.change("layouts.tsv", cut)
        self.refused("_EPROCESS.Token")

    def test_bad_cells(self):
        for cell in ("x", "12345", "ffff", "10:31+2/4", "10:0+0/4", "-1", "10:1+1", ""):
            with self.subTest(cell=cell):
                self.setUp()

                def put(lines, cell=cell):
                    at = self.row(lines, "_EPROCESS.Token")
                    lines[at] = "\t".join(lines[at].split("\t")[:-1] + [cell])

                self.change("layouts.tsv", put)
                self.refused("_EPROCESS.Token")

    def test_symbol_column(self):
        def rename(lines):
            at = self.row(lines, "guid")
            lines[at] = lines[at].replace("PspCidTable", "PspCidTabel")

        self.change("symbols.tsv", rename)
        self.refused("'PspCidTable' is expected")

    def test_unknown_layout(self):
        self.change("kernels.tsv", lambda lines: lines.__setitem__(-1, lines[-1].replace("\t22000.", "\t22099.")))
        self.refused("kernels.tsv")

    def test_kernels_out_of_order(self):
        def swap(name):
            def function(lines):
                lines[-1], lines[-30] = lines[-30], lines[-1]

            self.change(name, function)

        swap("kernels.tsv")
        swap("symbols.tsv")
        self.refused("stands after")

    def test_absent_table(self):
        os.remove(os.path.join(self.folder, "builds.tsv"))
        self.refused("builds.tsv is absent")


HEADER = """
// 0x8 (8) bytes
struct _INNER {
  ULONG A;     // offset: 0x0 (0)
  ULONG B : 3; // offset: 0x4 (4)
  ULONG C : 5; // offset: 0x4 (4)
};

// 0x0 (0) bytes
struct _EMPTY {};

// 0x30 (48) bytes
struct _OUTER {
  struct _INNER First; // offset: 0x0 (0)
  VOID *volatile
      *Long; // offset: 0x8 (8)
  union {
    ULONGLONG Whole; // offset: 0x10 (16)
    struct {
      ULONGLONG Low : 20;  // offset: 0x10 (16)
      ULONGLONG High : 44; // offset: 0x10 (16)
    };
    struct {
      ULONGLONG Other : 1; // offset: 0x10 (16)
    };
  };
  union {
    struct {
      USHORT Count; // offset: 0x0 (0)
    } e1;           // offset: 0x18 (24)
    ULONG Rest;     // offset: 0x18 (24)
  } u3;             // offset: 0x18 (24)
  VOID (*Routine)(VOID *arg1); // offset: 0x20 (32)
  UCHAR Name[15];              // offset: 0x28 (40)
};
"""


class HeaderReader(unittest.TestCase):
    def test_places(self):
        headers = distil.Headers(HEADER)
        expected = {
            "First": "0", "First.A": "0", "First.C": "4:3+5/4", "Long": "8", "Whole": "10", "Low": "10:0+20/8",
            "High": "10:20+44/8", "Other": "10:0+1/8", "u3": "18", "u3.Rest": "18", "u3.e1.Count": "18",
            "Routine": "20", "Name": "28", "None": "-", "Long.X": "-",
        }  # fmt: skip
        for path, cell in expected.items():
            self.assertEqual(headers.place("_OUTER", path), cell, path)
        self.assertEqual(headers.size("_OUTER"), 0x30)
        self.assertIsNone(headers.size("_EMPTY"))
        self.assertIsNone(headers.size("_ABSENT"))


class IsfReader(unittest.TestCase):
    def test_places(self):
        number = {"kind": "base", "name": "unsigned long"}
        isf = distil.Isf(
            {
                "base_types": {"unsigned long": {"size": 4}},
                "user_types": {
                    "_A": {"size": 16, "fields": {
                        "x": {"offset": 4, "type": {"kind": "struct", "name": "_B"}},
                        "hidden": {"offset": 8, "anonymous": True, "type": {"kind": "union", "name": "_B"}},
                        "p": {"offset": 12, "type": {"kind": "pointer", "subtype": number}}}},
                    "_B": {"size": 4, "fields": {
                        "bits": {"offset": 0, "type": {
                            "kind": "bitfield", "bit_position": 3, "bit_length": 2, "type": number}}}},
                },
            }
        )  # fmt: skip
        self.assertEqual(isf.place("_A", "x"), "4")
        self.assertEqual(isf.place("_A", "x.bits"), "4:3+2/4")
        self.assertEqual(isf.place("_A", "bits"), "8:3+2/4")
        self.assertEqual(isf.place("_A", "p.bits"), "-")
        self.assertEqual(isf.place("_A", "y"), "-")


if __name__ == "__main__":
    unittest.main()
