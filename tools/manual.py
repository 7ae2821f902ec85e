#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what scdoc writes agree with `mandoc -T lint`: manual.py NAME VERSION < PAGE > PAGE

scdoc writes empty paragraphs and lines as long as its source's; the layout on the screen is the same without.
"""
import re
import sys
import textwrap

WIDTH = 80
# A paragraph that stands behind one of these is empty, and so is one before.
STARTS = (".SH", ".SS", ".TH", ".RS", ".P")
ENDS = (".SH", ".SS", ".RE")


def plain(line):
    """Text that may be filled: no request, nothing that begins with a control character."""
    return line and not line.startswith((".", "'"))


def wrap(lines):
    """Long lines of text broken between words, but not where a control character would come to stand first in a line."""
    fill = True
    for line in lines:
        if line.startswith(".nf"):
            fill = False
        elif line.startswith(".fi"):
            fill = True
        if not (fill and plain(line)):
            yield line
            continue
        # The end of a sentence stays at the end of its line, or else typesetters would space it otherwise.
        for part in textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False):
            yield part if plain(part) else "\\&" + part


def without_empty(lines):
    """Without paragraphs that hold nothing. Those before and at the end of an indented block are its distance."""
    kept = []
    for line in lines:
        if line == ".P" and (not kept or kept[-1].startswith(STARTS)):
            continue
        if line.startswith(".RS") and kept and kept[-1] == ".P":
            kept[-1] = ".sp"
        while line.startswith(ENDS) and kept and kept[-1] == ".P":
            kept.pop()
        kept.append(line)
        if line == ".RE":
            kept.append(".P")
    return kept


def main(name, version):
    lines = sys.stdin.read().splitlines()
    title = next(i for i, line in enumerate(lines) if line.startswith(".TH "))
    lines[title] = re.sub(r'"([^"]+)"', lambda m: m[0].upper(), lines[title], count=1) + f' "{name} {version}"'
    print("\n".join(wrap(without_empty(lines))))


if __name__ == "__main__":
    main(*sys.argv[1:])
