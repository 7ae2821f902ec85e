#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints which invariants an image breaks, and of what. The status is that of `invar check`."""
import sys

import invar


def main() -> int:
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} IMAGE", file=sys.stderr)
        return 2
    try:
        with invar.open(sys.argv[1]) as image:
            report = image.check()
    except invar.Error as error:
        print(error, file=sys.stderr)
        return 3
    for finding in report.findings:
        print(finding.id, finding.subject.kind, finding.subject.address if finding.subject.address is not None else "-")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
