#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that tools/run_tests.py loses no failure and no skipped case: test_run_tests.py FOLDER_OF_TOOLS"""
import json
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv.pop(1))
import run_tests  # noqa: E402 (the path is an argument)


class Counting(unittest.TestCase):
    def count(self, tests):
        return run_tests.count(json.dumps({"name": n, "result": r, "stdout": out}) for n, r, out in tests)

    def test_each_result_counts_once(self):
        results = ["OK", "FAIL", "TIMEOUT", "SKIP", "ERROR", "EXPECTEDFAIL", "UNEXPECTEDPASS"]
        self.assertEqual(self.count([(result, result, "") for result in results]), (2, 4, 1))

    def test_a_case_left_out_counts(self):
        output = (
            "[ RUN      ] test_real_dump\n[  SKIPPED ] test_real_dump\n"
            "[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] test_real_dump\n"
        )
        self.assertEqual(self.count([("a", "OK", output)]), (1, 0, 1))

    def test_a_missing_program_is_told_apart(self):
        there, gone = [sys.executable], ["/nonexistent/program"]
        tests = [
            {"name": "a", "suite": ["invar:unit"], "cmd": there},
            {"name": "b", "suite": ["invar:unit"], "cmd": gone},
            {"name": "c", "suite": ["invar:facts"], "cmd": gone},
        ]
        self.assertEqual(run_tests.choose(tests, [], ["facts"]), (["a"], ["b"]))
        self.assertEqual(run_tests.choose(tests, ["facts"], []), ([], ["c"]))
        self.assertEqual(run_tests.choose(tests, [], []), (["a"], ["b", "c"]))


if __name__ == "__main__":
    unittest.main()
