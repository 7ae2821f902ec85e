#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the tables under facts/ into one C file of constants.

    tools/gen_facts.py FACTS OUTPUT.c

The tables must fit src/facts/fields.def and symbols.def exactly: anything else is an error that says to run
tools/distil.py.
"""

import os
import re
import sys

from distil import Wanted

ARCHS = {"x86": "INV_ARCH_X86", "x64": "INV_ARCH_X64", "arm64": "INV_ARCH_ARM64"}
CELL = re.compile(r"(?:([0-9a-f]{1,4})(?::(\d{1,2})\+(\d{1,2})/([1248]))?|[-?])$")
HEAD = ["id", "arch", "build", "versions", "source", "coverage"]
# Files of kphdyn.xml that are kernels; lxcore.sys (the Linux subsystem's driver) is listed there too.
KERNELS = ("ntoskrnl.exe", "ntkrnlmp.exe", "ntkrla57.exe")


def fail(message):
    sys.exit(f"gen_facts.py: {message}; run tools/distil.py")


def read(folder, name, columns=None):
    """The rows of a table as lists of cells, the title first."""
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        fail(f"{name} is absent")
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    if not rows:
        fail(f"{name} is empty")
    width = len(columns) if columns else len(rows[0])
    if columns and rows[0] != columns:
        wrong = next((a, b) for a, b in zip(rows[0] + [""], columns + [""]) if a != b)
        fail(f"{name}: column {wrong[0]!r} where {wrong[1]!r} is expected")
    for number, row in enumerate(rows):
        if len(row) != width:
            fail(f"{name}: row {number} ({row[0]}) has {len(row)} cells, {width} expected")
    return rows


def number(text, base, bits, where):
    try:
        value = int(text, base)
    except ValueError:
        fail(f"{where}: {text!r} is no number")
    if not 0 <= value < 1 << bits:
        fail(f"{where}: {text} does not fit {bits} bits")
    return value


def version(text, where):
    parts = text.split(".")
    if len(parts) != 4:
        fail(f"{where}: {text!r} is no version")
    return tuple(number(part, 10, 16, where) for part in parts)


def in_order(rows, where):
    """The lookups are binary searches."""
    for before, after in zip(rows, rows[1:]):
        if before > after:
            fail(f"{where}: {after} stands after {before}")


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def place(cell, where):
    match = CELL.match(cell)
    if not match:
        fail(f"{where}: cannot read {cell!r}")
    if not match[1]:
        return "{N,0,0,0}"
    offset = int(match[1], 16)
    if offset == 0xFFFF:
        fail(f"{where}: {cell} is too far")
    if not match[2]:
        return f"{{{offset},0,0,0}}"
    bit, bits, width = int(match[2]), int(match[3]), int(match[4])
    if bits == 0 or bit + bits > width * 8:
        fail(f"{where}: {cell} does not fit its integer")
    return f"{{{offset},{bit},{bits},{width}}}"


def layouts(folder, wanted, out):
    rows = read(folder, "layouts.tsv")
    names = [row[0] for row in rows]
    if names != HEAD + wanted.rows:
        wrong = next((a, b) for a, b in zip(names + [""], HEAD + wanted.rows + [""]) if a != b)
        fail(f"layouts.tsv: row {wrong[0]!r} where {wrong[1]!r} is expected")
    cells = {row[0]: row[1:] for row in rows}
    ids = cells["id"]
    if len(set(ids)) != len(ids):
        fail("layouts.tsv: two columns have the same id")
    revisions = []
    out.append(f"const size_t inv_builtin_layout_count = {len(ids)};")
    out.append("const struct inv_layout inv_builtin_layouts[] = {")
    for column, identity in enumerate(ids):
        where = f"layouts.tsv: {identity}"
        arch, coverage = cells["arch"][column], cells["coverage"][column]
        if arch not in ARCHS or coverage not in ("full", "partial"):
            fail(f"{where}: cannot read its head")
        low, _, high = cells["versions"][column].partition(" to ")
        low = version(low, where)
        high = version(high, where) if high else low
        build = number(cells["build"][column], 10, 16, where)
        if (low[2], high[2]) != (build, build) or low > high:
            fail(f"{where}: its versions are not of one build, in order")
        revisions.append((low[3], high[3]))
        sizes = [cells[f"_{name}.(size)"][column] for name, _ in wanted.types]
        sizes = ["0" if s in "-?" else str(number(s, 16, 32, where)) for s in sizes]
        places = [place(cells[f"_{t}.{f}"][column], f"{where}: _{t}.{f}") for t, f, _, _ in wanted.fields]
        out.append(
            f"{{{text(identity)},{text(cells['source'][column])},{text(cells['versions'][column])},"
            f"{ARCHS[arch]},{build},"
            f"{'true' if coverage == 'partial' else 'false'},{{{','.join(sizes)}}},\n{{{','.join(places)}}}}},"
        )
    out.append("};")
    out.append("const struct inv_revisions inv_builtin_revisions[] = {")
    out.append(",".join(f"{{{low},{high}}}" for low, high in revisions))
    out.append("};")
    return ids


def guid_bytes(guid, where):
    if not re.match(r"[0-9A-F]{32}$", guid):
        fail(f"{where}: {guid!r} is no GUID")
    b = bytes.fromhex(guid)
    # Data1 to Data3 are little-endian in memory.
    return b[3::-1] + b[5:3:-1] + b[7:5:-1] + b[8:]


def kernels(folder, wanted, ids, out):
    rows = read(folder, "kernels.tsv", ["version", "guid", "age", "pdb", "arch", "layout", "source"])[1:]
    symbols = read(folder, "symbols.tsv", ["guid"] + wanted.symbols)[1:]
    if [row[0] for row in symbols] != [row[1] for row in rows]:
        fail("symbols.tsv and kernels.tsv do not list the same kernels")
    out.append(f"static const uint32_t rva[{len(rows)}][INV_SYMBOL_COUNT] = {{")
    for row in symbols:
        values = ["M" if c == "-" else hex(number(c, 16, 32, f"symbols.tsv: {row[0]}")) for c in row[1:]]
        out.append("{" + ",".join(values) + "},")
    out.append("};")
    out.append(f"const size_t inv_builtin_kernel_count = {len(rows)};")
    out.append("const struct inv_kernel_facts inv_builtin_kernels[] = {")
    order = []
    for index, (version_, guid, age, pdb, arch, layout, source) in enumerate(rows):
        where = f"kernels.tsv: {guid}"
        if layout not in ids or arch not in ARCHS:
            fail(f"{where}: cannot read its row")
        parts = version(version_, where)
        order.append((parts, guid))
        numbers = ",".join(str(part) for part in parts)
        values = ",".join(str(value) for value in guid_bytes(guid, where))
        out.append(
            f"{{{{{numbers}}},{{{values}}},{number(age, 10, 32, where)},{text(pdb)},{ARCHS[arch]},"
            f"inv_builtin_layouts+{ids.index(layout)},rva[{index}],{text(source)}}},"
        )
    in_order(order, "kernels.tsv")
    out.append("};")
    by_guid = sorted(range(len(rows)), key=lambda i: (guid_bytes(rows[i][1], ""), int(rows[i][2])))
    out.append("const uint16_t inv_builtin_by_guid[] = {" + ",".join(map(str, by_guid)) + "};")


def builds(folder, out):
    columns = ["arch", "version", "time_stamp", "size_of_image", "file", "ObjectTable", "SectionObject"]
    rows = [row for row in read(folder, "builds.tsv", columns)[1:] if row[4] in KERNELS]
    out.append(f"const size_t inv_builtin_build_count = {len(rows)};")
    lines = []
    for arch, version_, stamp, size, _, *fields in rows:
        where = f"builds.tsv: {arch} {version_}"
        if arch not in ARCHS:
            fail(f"{where}: unknown architecture")
        parts = version(version_, where)
        stamp, size = number(stamp, 16, 32, where), number(size, 16, 32, where)
        values = ["N" if f == "-" else str(number(f, 16, 16, where)) for f in fields]
        numbers = ",".join(str(part) for part in parts)
        row = f"{{{ARCHS[arch]},{{{numbers}}},{stamp}u,{size}u,{','.join(values)}}},"
        # The search goes by the order of enum inv_arch.
        lines.append((list(ARCHS).index(arch), stamp, size, parts, row))
    out.append("const struct inv_build_row inv_builtin_builds[] = {")
    out += [line[-1] for line in sorted(lines)]
    out.append("};")


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder, output = arguments
    wanted = Wanted()
    out = [
        "// Written by tools/gen_facts.py from the tables under facts/; do not edit.",
        '#include "facts/builtin.h"',
        "#define N INV_NO_OFFSET",
        "#define M INV_NO_RVA",
        f'_Static_assert(INV_TYPE_COUNT == {len(wanted.types)}, "run tools/distil.py");',
        f'_Static_assert(INV_FIELD_COUNT == {len(wanted.fields)}, "run tools/distil.py");',
        f'_Static_assert(INV_SYMBOL_COUNT == {len(wanted.symbols)}, "run tools/distil.py");',
    ]
    ids = layouts(folder, wanted, out)
    kernels(folder, wanted, ids, out)
    builds(folder, out)
    with open(output, "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
