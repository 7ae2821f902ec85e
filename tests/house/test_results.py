#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that tools/results.py loses no failure and no skipped case: test_results.py SCRIPT"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = sys.argv.pop(1)


class Results(unittest.TestCase):
    def count(self, tests):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "testlog.json")
            with open(path, "w", encoding="utf-8") as log:
                for name, result, output in tests:
                    log.write(json.dumps({"name": name, "result": result, "stdout": output}) + "\n")
            run = subprocess.run([sys.executable, SCRIPT, path], capture_output=True, text=True, check=True)
            return run.stdout.strip(), run.stderr

    def test_each_result_counts_once(self):
        tests = [("a", "OK", ""), ("b", "FAIL", ""), ("c", "TIMEOUT", ""), ("d", "SKIP", ""), ("e", "ERROR", "")]
        counts, told = self.count(tests + [("f", "EXPECTEDFAIL", ""), ("g", "UNEXPECTEDPASS", "")])
        self.assertEqual(counts, "2 4 1")
        self.assertIn("timeout: c", told)

    def test_a_case_left_out_counts(self):
        output = (
            "[ RUN      ] test_real_dump\n[  SKIPPED ] test_real_dump\n"
            "[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] test_real_dump\n"
        )
        counts, told = self.count([("a", "OK", output)])
        self.assertEqual(counts, "1 0 1")
        self.assertIn("a: test_real_dump", told)


if __name__ == "__main__":
    unittest.main()
