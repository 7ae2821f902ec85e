#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that tools/check_floors.py accepts what it should and finds what it should: test_check_floors.py SCRIPT"""
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = sys.argv.pop(1)


class CheckFloors(unittest.TestCase):
    def check(self, files):
        """(status, output) of the script over a tree of these files."""
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = os.path.join(root, "src", name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
            run = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True, check=False)
            return run.returncode, run.stdout

    def test_downward_is_allowed(self):
        status, output = self.check(
            {
                "base/error.h": "",
                "image/image.h": '#include "base/error.h"\n#include <stdint.h>\n',
                "cli/main.c": '#include "image/image.h"\n#include "cli/own.h"\n',
                "cli/own.h": "",
                "forge/forge.c": '#include "base/error.h"\n#include "facts/facts.h"\n#include <lua.h>\n',
                "facts/facts.h": '#include "image/image.h"\n',
            }
        )
        self.assertEqual((status, output), (0, ""))

    def test_upward_is_found(self):
        status, output = self.check({"base/a.c": '\n#include "image/image.h"\n', "image/image.h": ""})
        self.assertEqual(status, 1)
        self.assertIn("src/base/a.c:2: base may not include image/image.h", output)

    def test_upward_by_another_spelling_is_found(self):
        status, output = self.check(
            {"base/a.c": '#  include "../image/image.h"\n', "base/b.c": "#include <image/image.h>\n", "image/image.h": ""}
        )
        self.assertEqual(status, 1)
        self.assertIn("src/base/a.c:1:", output)
        self.assertIn("src/base/b.c:1:", output)

    def test_a_generated_header_is_found_by_its_name(self):
        status, _ = self.check({"base/a.c": '#include "facts/generated.h"\n'})
        self.assertEqual(status, 1)

    def test_forge_may_not_use_a_reader(self):
        for reader in ("image", "paging", "kernel", "nt", "cli"):
            with self.subTest(reader):
                status, output = self.check({"forge/a.c": f'#include "{reader}/x.h"\n', f"{reader}/x.h": ""})
                self.assertEqual(status, 1)
                self.assertIn("src/forge/a.c:1:", output)

    def test_no_reader_may_use_the_forge(self):
        status, _ = self.check({"cli/a.c": '#include "forge/forge.h"\n', "forge/forge.h": ""})
        self.assertEqual(status, 1)

    def test_an_unknown_floor_is_found(self):
        status, _ = self.check({"attic/a.c": ""})
        self.assertEqual(status, 1)

    def test_an_empty_tree_is_no_success(self):
        status, _ = self.check({})
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()
