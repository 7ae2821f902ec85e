#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a page as C, in two halves between which the data go: embed_page.py PAGE OUTPUT"""
import sys

MARK = b"@@DATA@@"


def array(name, data):
    rows = (", ".join(map(str, data[i:i + 24])) for i in range(0, len(data), 24))
    return (f"const unsigned char {name}[] = {{\n\t" + ",\n\t".join(rows) + "};\n"
            f"const size_t {name}_size = sizeof {name};\n")


def main(page, output):
    with open(page, "rb") as file:
        parts = file.read().split(MARK)
    if len(parts) != 2:
        sys.exit(f"{page}: {MARK.decode()} must stand there once")
    with open(output, "w", encoding="ascii") as file:
        file.write('#include "report/page.h"\n\n')
        file.write(array("inv_page_head", parts[0]) + "\n" + array("inv_page_tail", parts[1]))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
