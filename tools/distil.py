#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Distils what is known of Windows builds into the tables under facts/.

    tools/distil.py DATA FACTS            writes the tables
    tools/distil.py --check DATA FACTS    does it again and compares: status 1 and a summary if anything differs

Without arguments DATA is $INVAR_SHARED/data, or ../shared/data beside the source tree, and FACTS the tree's own.

DATA holds isf/ (symbol tables), headers/ (C headers with offsets), builds/kphdyn.xml and tables/*.csv. Which fields and
symbols are wanted is said by src/facts/fields.def and symbols.def. Standard library only; the same data always
gives the same tables.

A cell of layouts.tsv is
    1c8         the offset, hexadecimal
    304:26+1/4  a bit field: offset of its integer (hexadecimal), lowest bit, number of bits, bytes of the integer
    -           the source has the type, and it has no such field
    ?           the source says nothing
"""

import bisect
import csv
import io
import json
import lzma
import multiprocessing
import os
import re
import sys
import tarfile
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ABSENT, UNKNOWN = "-", "?"
MACHINES = {0x14C: "x86", 0x8664: "x64", 0xAA64: "arm64"}
MAX_OFFSET = 0xFFFE  # a place keeps 16 bits, and all ones means "none"


# ---- the lists of what is wanted ----

# Of types that grow at their end between revisions of a build, the size would tell layouts apart that are the same otherwise.
UNSIZED = {"CMHIVE"}


class Wanted:
    """The types, fields and symbols of the .def files, in their order."""

    def __init__(self, root=ROOT):
        folder = os.path.join(root, "src", "facts")
        self.types = []  # (type, [names])
        self.fields = []  # (type, field, [paths], kind)
        with open(os.path.join(folder, "fields.def"), encoding="utf-8") as file:
            for line in file:
                if match := re.match(r'INV_TYPE\((\w+), "([^"]+)"\)', line):
                    self.types.append((match[1], match[2].split("|")))
                elif match := re.match(r'INV_FIELD\((\w+), (\w+), "([^"]+)", INV_(\w+), (NEEDED|OPTIONAL)\)', line):
                    self.fields.append((match[1], match[2], match[3].split("|"), match[4]))
                elif re.match(r"INV_", line):
                    sys.exit(f"fields.def: cannot read this line: {line}")
        with open(os.path.join(folder, "symbols.def"), encoding="utf-8") as file:
            self.symbols = re.findall(r"^INV_SYMBOL\((\w+), (?:NEEDED|OPTIONAL)\)", file.read(), re.M)
        self.rows = []  # names of the rows of layouts.tsv: each type's size, then its fields
        for type_name, _ in self.types:
            self.rows.append(f"_{type_name}.(size)")
            self.rows += [f"_{t}.{f}" for t, f, _, _ in self.fields if t == type_name]

    def cells(self, source):
        """One cell a row, by asking `source` for size(type) and place(type, path)."""
        cells = {}
        chosen = {}
        for type_name, names in self.types:
            found = next((n for n in names if source.size(n) is not None), None)
            chosen[type_name] = found
            size = None if found is None or type_name in UNSIZED else source.whole_size(found)
            cells[f"_{type_name}.(size)"] = UNKNOWN if size is None else format(size, "x")
        for type_name, field, paths, _ in self.fields:
            cell = UNKNOWN
            if chosen[type_name] is not None:
                places = [source.place(chosen[type_name], path) for path in paths]
                # The first path that is there; else absent if the source is sure of all of them.
                cell = next((p for p in places if p not in (ABSENT, UNKNOWN)), None)
                if cell is None:
                    cell = UNKNOWN if UNKNOWN in places else ABSENT
            cells[f"_{type_name}.{field}"] = cell
        return [cells[row] for row in self.rows]

    def first_names(self):
        return {type_name: names[0] for type_name, names in self.types}


def show(offset, bits=None):
    if offset > MAX_OFFSET:
        return UNKNOWN
    if bits is None:
        return format(offset, "x")
    bit, length, width = bits
    return f"{offset:x}:{bit}+{length}/{width}"


# ---- ISF ----


class Isf:
    def __init__(self, document):
        self.types = document["user_types"]
        self.base = document["base_types"]
        self.enums = document.get("enums", {})

    def size(self, name):
        found = self.types.get(name)
        return found["size"] if found and found["fields"] else None

    whole_size = size

    def width(self, type_):
        if type_["kind"] == "base":
            return self.base[type_["name"]]["size"]
        if type_["kind"] == "enum":
            return self.enums[type_["name"]]["size"]
        raise ValueError(f"a bit field of kind {type_['kind']}")

    def member(self, name, part, depth=0):
        """(offset, type) of a member, looking through unnamed members."""
        fields = self.types[name]["fields"] if name in self.types else {}
        if part in fields:
            return fields[part]["offset"], fields[part]["type"]
        for field in fields.values():
            if field.get("anonymous") and depth < 8 and field["type"]["kind"] in ("struct", "union"):
                found = self.member(field["type"]["name"], part, depth + 1)
                if found:
                    return field["offset"] + found[0], found[1]
        return None

    def place(self, name, path):
        offset, type_ = 0, {"kind": "struct", "name": name}
        for part in path.split("."):
            if type_["kind"] not in ("struct", "union", "class"):
                return ABSENT
            found = self.member(type_["name"], part)
            if not found:
                return ABSENT
            offset += found[0]
            type_ = found[1]
        if type_["kind"] == "bitfield":
            return show(offset, (type_["bit_position"], type_["bit_length"], self.width(type_["type"])))
        return show(offset)


def read_isf(path):
    """What is wanted of one table: runs in a worker process."""
    wanted = Wanted()
    with lzma.open(path) as file:
        document = json.load(file)
    pdb = document["metadata"]["windows"]["pdb"]
    symbols = document["symbols"]
    return {
        "file": os.path.basename(path),
        "guid": pdb["GUID"].upper(),
        "age": pdb["age"],
        "pdb": pdb["database"],
        "arch": MACHINES[pdb["machine_type"]],
        "cells": wanted.cells(Isf(document)),
        "symbols": [format(symbols[s]["address"], "x") if s in symbols else ABSENT for s in wanted.symbols],
    }


# ---- C headers ----

WIDTHS = {"CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "WCHAR": 2, "LONG": 4, "ULONG": 4, "LONGLONG": 8,
          "ULONGLONG": 8, "int": 4, "unsigned int": 4, "BOOLEAN": 1}  # fmt: skip


class Members:
    """The members of one struct or union: name -> (offset from the outermost type, type name, bits, Members)."""

    def __init__(self):
        self.named = {}
        self.unnamed = []

    def find(self, name):
        if name in self.named:
            return self.named[name]
        for inner in self.unnamed:
            if found := inner.find(name):
                return found
        return None

    def lowest(self):
        offsets = [m[0] for m in self.named.values() if m[0] is not None] + [m.lowest() for m in self.unnamed]
        return min(offsets, default=1 << 30)


class Headers:
    """One file of the vergilius-rs collection: offsets stand in comments; bit positions follow from the order.

    The headers were rebuilt from a flat list, so a union and the structures in it are not always told apart. Bit fields
    that follow each other at one offset are one integer's, even across an unnamed brace, unless a brace opens
    right after another one closed: then they are two views of the same integer.
    """

    def __init__(self, text):
        self.bodies = {}
        body = r"^// 0x([0-9a-f]+) \(\d+\) bytes\n(?:struct|union) (\w+) \{(?:\};|\n(.*?)^\};)"
        for match in re.finditer(body, text, re.M | re.S):
            self.bodies[match[2]] = (int(match[1], 16), match[3] or "")
        self.parsed = {}

    # From 19041.508 on the x64 headers hold only the documented beginning of these two (measured: symbol tables of the
    # same versions have them in full): what is missing there is not known, and neither is the size.
    CUT = {"_KPRCB": 0x700, "_KPCR": 0x178}

    def size(self, name):
        size, body = self.bodies.get(name, (0, ""))
        return size if size and body.strip() else None

    def whole_size(self, name):
        return None if self.cut(name) else self.size(name)

    def cut(self, name):
        return name in self.CUT and self.size(name) == self.CUT[name]

    TOKEN = re.compile(r"[{};]|[^{};]+")
    OFFSET = re.compile(r"\s*// offset: 0x([0-9a-f]+) \(\d+\)")

    def members(self, name):
        if name not in self.parsed:
            self.parsed[name] = self.parse(self.bodies[name][1])
        return self.parsed[name]

    def parse(self, body):
        stack = [Members()]
        run = None  # (offset, width, next bit) while bit fields follow each other
        closed = False  # the last thing was a closing brace
        position = 0
        text = ""
        closing = []
        while match := self.TOKEN.match(body, position):
            token = match[0]
            position = match.end()
            if token == "{":
                stack.append(Members())
                if closed:
                    run = None
                closed = False
                text = ""
            elif token == "}":
                closing.append(stack.pop())
                text = ""
            elif token != ";":
                text += token
            else:
                offset = None
                if comment := self.OFFSET.match(body, position):
                    offset = int(comment[1], 16)
                    position = comment.end()
                declaration = " ".join(text.split())
                text = ""
                if closing:
                    self.close(stack[-1], closing.pop(), declaration, offset)
                    closed = True
                    continue
                run = self.declare(stack[-1], declaration, offset, run)
                closed = False
        return stack[0]

    @staticmethod
    def close(outer, inner, declaration, offset):
        name = re.match(r"(\w+)", declaration)
        if not name:
            outer.unnamed.append(inner)
            return
        outer.named[name[1]] = (offset, None, None, inner)

    @staticmethod
    def declare(outer, declaration, offset, run):
        words = re.sub(r"\b(volatile|const)\b", "", declaration)
        if offset is None:
            return None
        if match := re.match(r"\s*(.+?)\s+(\w+)\s*: (\d+)$", words):
            type_name, name, length = match[1].strip(), match[2], int(match[3])
            width = 4 if type_name.startswith("enum") else WIDTHS[type_name]
            bit = run[2] if run and run[:2] == (offset, width) and run[2] + length <= width * 8 else 0
            outer.named.setdefault(name, (offset, None, (bit, length, width), None))
            return (offset, width, bit + length)
        if match := re.search(r"\(\s*\*\s*(\w+)", words):  # a function pointer
            outer.named.setdefault(match[1], (offset, None, None, None))
            return None
        match = re.match(r"\s*(?:struct |union |enum )?(\w+)\s*(\**)\s*(\w+)(\[\d+\])*$", words.replace("* *", "**"))
        if not match:
            return None
        outer.named.setdefault(match[3], (offset, None if match[2] else match[1], None, None))
        return None

    @staticmethod
    def element(part):
        """The name in "Reserved[2]", and how far the element is from the start of that array of pointers (of x64)."""
        match = re.match(r"(\w+)\[(\d+)\]$", part)
        return (match[1], 8 * int(match[2])) if match else (part, 0)

    def place(self, name, path):
        base, members = 0, self.members(name)
        outer = 0  # what the offsets of `members` are relative to
        parts = path.split(".")
        for index, part in enumerate(parts):
            part, element = self.element(part)
            found = members.find(part)
            if not found or found[0] is None:
                return UNKNOWN if self.cut(name) else ABSENT
            offset, type_name, bits, inner = found
            offset += element
            if index == len(parts) - 1:
                return show(base + outer + offset, bits)
            if inner:
                # Offsets in a nested brace are from the start of the outermost type or, at times, of the brace.
                outer += offset if inner.lowest() < offset else 0
                members = inner
            elif type_name and self.size(type_name):
                base, outer, members = base + outer + offset, 0, self.members(type_name)
            else:
                return UNKNOWN if type_name else ABSENT
        return UNKNOWN


def read_header(item):
    name, text = item
    match = re.search(r"bindings-([\d.]+)-(x64|x86)\.h$", name)
    return {
        "file": os.path.basename(name),
        "version": tuple(int(part) for part in match[1].split(".")),
        "arch": match[2],
        "cells": Wanted().cells(Headers(text)),
    }


def read_headers(folder):
    items = []
    for archive in sorted(os.listdir(folder)):
        if not archive.endswith(".tar.xz"):
            continue
        with tarfile.open(os.path.join(folder, archive)) as tar:
            for member in tar:
                if member.name.endswith(".h"):
                    items.append((member.name, tar.extractfile(member).read().decode("utf-8")))
    return items


# ---- tables that list a few fields ----

# Where a member of a type is listed as a type of its own.
INNER = {
    ("_MMPFN", "u4"): "_MMPFN_u4",
    ("_MI_SYSTEM_INFORMATION", "Processes"): "_MI_PROCESS_STATE",
    ("_MI_PARTITION", "Store"): "_MI_PARTITION_STORES",
    ("_KTHREAD", "ApcState"): "_KAPC_STATE",
    ("_KTHREAD", "SavedApcState"): "_KAPC_STATE",
    ("_ETHREAD", "ClientSecurity"): "_PS_CLIENT_SECURITY_CONTEXT",
    ("_ETHREAD", "Cid"): "_CLIENT_ID",
    ("_TEB", "ClientId"): "_CLIENT_ID",
}
# Small structures that are the same in every x64 kernel: CLIENT_ID (winternl.h), KAPC_STATE (two list
# heads, then Process).
CONSTANT = {("_CLIENT_ID", "UniqueProcess"): "0", ("_CLIENT_ID", "UniqueThread"): "8", ("_KAPC_STATE", "Process"): "20"}


class Listed:
    """A column of a table of (struct, field) -> cell. `widths` gives a bit field's integer, which these tables lack."""

    def __init__(self, values, widths):
        self.values = dict(values)
        for key, value in CONSTANT.items():
            self.values.setdefault(key, value)
        self.widths = widths

    def size(self, name):
        """Not None if anything is listed of the type."""
        return 0 if any(key[0] == name for key in self.values) else None

    def whole_size(self, name):
        size = self.values.get((name, "(size)"), ABSENT)
        return None if size == ABSENT else int(size, 16)

    def known(self, name):
        return self.whole_size(name) is not None

    def place(self, name, path):
        head, _, rest = path.partition(".")
        value = self.values.get((name, head))
        if value is None:
            return UNKNOWN
        if value == ABSENT:
            return ABSENT if self.known(name) else UNKNOWN
        if not rest:
            return self.bits(name, path, value)
        inner = INNER.get((name, head))
        value2 = self.values.get((inner, rest)) if inner else None
        if value2 is None:
            return UNKNOWN
        if value2 == ABSENT:
            return ABSENT
        offset, _, bits = value2.partition(":")
        total = format(int(value, 16) + int(offset, 16), "x")
        return self.bits(name, path, f"{total}:{bits}" if bits else total)

    def bits(self, name, path, value):
        if ":" not in value:
            return value
        width = self.widths.get((name, path))
        end = sum(int(part) for part in value.split(":")[1].split("+"))
        if not width:
            width = next(w for w in (1, 2, 4, 8) if end <= w * 8)
        return f"{value}/{width}"


def split_names(rows):
    """(struct, field) -> cell; "WoW64Process/Wow64Process" is listed under each name."""
    values = {}
    for struct, field, cell in rows:
        for one in struct.split("/"):
            for name in field.split("/"):
                values[(one, name)] = cell
    return values


# The Volatility 2 profile behind each x64 column, and the kernel it was made from.
PROFILES = {
    "win7_sp0_x64": (6, 1, 7600, 16385),
    "win7_sp1_x64": (6, 1, 7601, 17514),
    "win7_sp1_x64_632B36E0": (6, 1, 7601, 23418),
    "win7_sp1_x64_24000": (6, 1, 7601, 24000),
    "win8_sp0_x64": (6, 2, 9200, 16384),
    "win8_sp1_x64": (6, 3, 9600, 16384),
    "win81_u1_x64": (6, 3, 9600, 17031),  # 8.1 with Update 1; the profile does not give the revision
    "win8_sp1_x64_54B5A1C6": (6, 3, 9600, 18340),
    "win10_x64": (10, 0, 9841, 0),
    "win10_x64_10240_17770": (10, 0, 10240, 17770),
    "win10_x64_1AC738FB": (10, 0, 10586, 306),
    "win10_x64_DD08DD42": (10, 0, 14393, 0),
    "win10_x64_15063": (10, 0, 15063, 0),
    "win10_x64_16299": (10, 0, 16299, 0),
    "win10_x64_17134": (10, 0, 17134, 1),
    "win10_x64_17763": (10, 0, 17763, 0),
    "win10_x64_18362": (10, 0, 18362, 0),
    "win10_x64_19041": (10, 0, 19041, 0),
}


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def read_profiles(path, wanted, widths):
    rows = read_csv(path)
    for name, version in PROFILES.items():
        column = rows[0].index(name)
        values = split_names((r[0], r[1], r[column]) for r in rows[1:])
        yield {
            "version": version,
            "arch": "x64",
            "cells": wanted.cells(Listed(values, widths)),
            "source": f"Volatility 2 overlay {name}",
        }


def read_24h2(path, wanted, widths):
    values = []
    unverified = []
    for struct, field, offset, source in read_csv(path)[1:]:
        values.append((struct, field, offset))
        # Flag words list some of their bits in words: "Minimal bit0".
        if field.startswith("Flags"):
            values += [(struct, name, f"{offset}:{bit}+1") for name, bit in re.findall(r"(\w+) bit(\d+)", source)]
        if source.startswith("UNVERIFIED"):
            unverified.append(f"{struct}.{field}")
    listed = Listed(split_names(values), widths)
    source = "supplement for the 24H2 class (26019 to 29648); not verified: " + ", ".join(unverified)
    # A type that is listed by a few fields only says nothing of the others.
    return {"version": (10, 0, 26100, 0), "arch": "x64", "cells": wanted.cells(listed), "source": source}


# ---- builds ----

ARCHS = {"amd64": "x64", "arm64": "arm64", "i386": "x86"}


def version_text(version):
    return ".".join(str(part) for part in version)


def read_builds(path):
    root = ElementTree.parse(path).getroot()
    groups = {}
    for fields in root.iter("fields"):
        groups[fields.get("id")] = {f.get("name"): int(f.get("value"), 16) for f in fields.iter("field")}
    rows = []
    for data in root.iter("data"):
        fields = groups[data.text.strip()]
        rows.append(
            {
                "arch": ARCHS[data.get("arch")],
                "version": tuple(int(part) for part in data.get("version").split(".")),
                "stamp": int(data.get("timestamp"), 16),
                "size": int(data.get("size"), 16),
                "file": data.get("file"),
                "object_table": fields.get("EpObjectTable"),
                "section_object": fields.get("EpSectionObject"),
            }
        )
    rows.sort(key=lambda r: (r["arch"], r["stamp"], r["size"], r["version"], r["file"]))
    return rows


# ---- putting it together ----


class Layout:
    def __init__(self, arch, version, cells, source, partial, suffix=""):
        self.arch, self.cells, self.partial, self.suffix = arch, cells, partial, suffix
        self.versions = [version]
        self.sources = [source]

    def build(self):
        return min(self.versions)[2]

    def identity(self):
        low = min(self.versions)
        arch = "" if self.arch == "x64" else f"-{self.arch}"
        return f"{low[2]}.{low[3]}{arch}{self.suffix}"

    def range(self):
        low, high = min(self.versions), max(self.versions)
        return version_text(low) if low == high else f"{version_text(low)} to {version_text(high)}"

    def distance(self, version):
        return min(abs(v[3] - version[3]) for v in self.versions)


def agrees(cells, full):
    """Everything that `cells` says stands in `full` too."""
    return all(cell in (UNKNOWN, other) for cell, other in zip(cells, full))


def add(layouts, arch, version, cells, source, partial, suffix):
    """Joins the nearest layout of this build that agrees, else adds one."""
    same = [x for x in layouts if x.arch == arch and x.build() == version[2] and agrees(cells, x.cells)]
    if not same:
        layouts.append(Layout(arch, version, cells, source, partial, suffix))
        return
    best = min(same, key=lambda x: (x.distance(version), min(x.versions)))
    best.versions.append(version)
    if source not in best.sources:
        best.sources.append(source)


def bit_widths(wanted, layouts):
    """The integer behind each bit field, where every full x64 layout agrees."""
    seen = {}
    for layout in layouts:
        if layout.arch != "x64" or layout.partial:
            continue
        cells = dict(zip(wanted.rows, layout.cells))
        for type_name, field, paths, _ in wanted.fields:
            cell = cells[f"_{type_name}.{field}"]
            if "/" in cell:
                for name in dict(wanted.types)[type_name]:
                    for path in paths:
                        seen.setdefault((name, path), set()).add(int(cell.split("/")[1]))
    return {key: widths.pop() for key, widths in seen.items() if len(widths) == 1}


# 19042 to 19045 and 22631 are enablement packages: the kernel in them says 19041 and 22621.
SAME_KERNEL = {18363: 18362, 19042: 19041, 19043: 19041, 19044: 19041, 19045: 19041, 22631: 22621}


def corrected(version, builds):
    """The index calls two kernels 10.0.18326 that are 10.0.18362: no other source knows 18326, all know the others."""
    if version[2] == 18326 and (version[:2] + (18362, version[3])) in builds:
        return version[:2] + (18362, version[3])
    return version


class Facts:
    def __init__(self, data):
        self.wanted = wanted = Wanted()
        self.data = data
        self.notes = []
        self.contradictions = []
        self.builds = read_builds(os.path.join(data, "builds", "kphdyn.xml"))
        index = self.read_index(os.path.join(data, "isf", "index.tsv"))
        paths = sorted(os.path.join(data, "isf", f) for f in os.listdir(os.path.join(data, "isf")) if ".json" in f)
        with multiprocessing.Pool(os.cpu_count()) as pool:
            headers = pool.map_async(read_header, read_headers(os.path.join(data, "headers")), 4)
            self.isf = pool.map(read_isf, paths, 4)
            self.headers = headers.get()
        for table in self.isf:
            table["version"] = index[(table["guid"], table["age"])]
        self.isf.sort(key=lambda t: (t["version"], t["guid"]))
        self.headers.sort(key=lambda h: (h["version"], h["arch"]))
        self.layouts = []
        self.collect(wanted)
        self.check_groups()
        self.check_symbols()
        self.check_builds()

    def read_index(self, path):
        known = {row["version"] for row in self.builds if row["arch"] == "x64"}
        index = {}
        with open(path, encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                version = tuple(int(part) for part in row["version"].split("."))
                right = corrected(version, known)
                if right != version:
                    known_as = version_text(right)
                    self.notes.append(f"{row['guid']}: index.tsv says {row['version']}; kphdyn.xml knows {known_as}")
                index[(row["guid"], int(row["age"]))] = right
        return index

    def collect(self, wanted):
        for table in self.isf:
            key = (table["arch"], table["version"][2], table["cells"])
            same = [x for x in self.layouts if (x.arch, x.build(), x.cells) == key]
            if same:
                same[0].versions.append(table["version"])
            else:
                source = "JPCERTCC Windows-Symbol-Tables"
                self.layouts.append(Layout(table["arch"], table["version"], table["cells"], source, False))
        self.isf_layouts = list(self.layouts)
        for header in self.headers:
            version = header["version"]
            build = SAME_KERNEL.get(version[2], version[2])
            version = (version[0], version[1], build, version[3])
            self.compare(header["file"], header["arch"], version, header["cells"])
            add(self.layouts, header["arch"], version, header["cells"], "vergilius-rs headers", False, "-headers")
        widths = bit_widths(wanted, self.layouts)
        tables = os.path.join(self.data, "tables")
        partial = list(read_profiles(os.path.join(tables, "layouts_vol2_gaps.csv"), wanted, widths))
        partial.append(read_24h2(os.path.join(tables, "layout_26100_supplement.csv"), wanted, widths))
        for one in partial:
            self.compare(one["source"].split(";")[0], one["arch"], one["version"], one["cells"])
            suffix = "-overlay" if "overlay" in one["source"] else "-supplement"
            add(self.layouts, one["arch"], one["version"], one["cells"], one["source"], True, suffix)
        self.layouts.sort(key=lambda x: (x.arch, min(x.versions), x.partial, x.suffix))

    def compare(self, name, arch, version, cells):
        """Two sources about one and the same version (or nearly: a table's range holds it)."""
        for layout in self.layouts:
            if layout.arch != arch or not min(layout.versions) <= version <= max(layout.versions):
                continue
            for row, cell, other in zip(self.wanted.rows, cells, layout.cells):
                if UNKNOWN not in (cell, other) and cell != other:
                    self.notes.append(f"{name} against {layout.identity()}: {row}: {cell} against {other}")

    def by_guid(self):
        for table in self.isf:
            for layout in self.isf_layouts:
                if layout.cells == table["cells"] and layout.build() == table["version"][2]:
                    yield table, layout
                    break

    def check_groups(self):
        """layouts_by_group.csv was drawn from the same tables by other means: it must agree."""
        rows = read_csv(os.path.join(self.data, "tables", "layouts_by_group.csv"))
        groups = {}
        for column, title in enumerate(rows[0]):
            if match := re.match(r"(L\d+)\(", title):
                groups[match[1]] = Listed(split_names((r[0], r[1], r[column]) for r in rows[1:]), {})
        with open(os.path.join(self.data, "isf", "index.tsv"), encoding="utf-8") as file:
            group_of = {row["guid"]: row["layout_group"] for row in csv.DictReader(file, delimiter="\t")}
        compared = 0
        # The table lists types by one name only: compare those which it has under the name that we prefer.
        listed_types = {r[0] for r in rows[1:]}
        skip = {f"_{t}" for t, name in self.wanted.first_names().items() if name not in listed_types}
        # A field that changed its name stands in one row under all of them, in kernels too that know it by another.
        renamed = {f"{r[0]}.{name}" for r in rows[1:] for name in r[1].split("/") if "/" in r[1]}
        expected = {group: self.wanted.cells(listed) for group, listed in groups.items()}
        for table in self.isf:
            for row, cell, other in zip(self.wanted.rows, table["cells"], expected[group_of[table["guid"]]]):
                # The other table has no widths; "not in the symbols" and "type not in the symbols" look alike in it.
                cell, other = cell.split("/")[0], other.split("/")[0]
                if UNKNOWN in (cell, other) or row.split(".")[0] in skip or (cell == ABSENT and row in renamed):
                    continue
                compared += 1
                if cell != other:
                    where = f"layouts_by_group.csv against {table['file']}"
                    self.contradictions.append(f"{where}: {row}: {other} against {cell}")
        self.notes.append(f"layouts_by_group.csv: {compared} cells compared")

    def check_symbols(self):
        rows = read_csv(os.path.join(self.data, "tables", "symbols.csv"))
        title = rows[0]
        by_guid = {row[1]: dict(zip(title, row)) for row in rows[1:]}
        compared = 0
        for table in self.isf:
            other = by_guid.get(table["guid"], {})
            for name, rva in zip(self.wanted.symbols, table["symbols"]):
                if name in other:
                    compared += 1
                    if other[name] != rva:
                        where = f"symbols.csv against {table['file']}"
                        self.contradictions.append(f"{where}: {name}: {other[name]} against {rva}")
        self.notes.append(f"symbols.csv: {compared} cells compared")

    def check_builds(self):
        """kphdyn.xml gives two fields of EPROCESS for most versions."""
        rows = {"object_table": "_EPROCESS.ObjectTable", "section_object": "_EPROCESS.SectionObject"}
        compared = 0
        for build in self.builds:
            for layout in self.layouts:
                versions = layout.versions
                if layout.arch != build["arch"] or not min(versions) <= build["version"] <= max(versions):
                    continue
                for key, row in rows.items():
                    cell = layout.cells[self.wanted.rows.index(row)]
                    if build[key] is None or cell in (ABSENT, UNKNOWN):
                        continue
                    compared += 1
                    if int(cell, 16) != build[key]:
                        version = version_text(build["version"])
                        where = f"kphdyn.xml {version} against {layout.identity()}"
                        self.notes.append(f"{where}: {row}: {build[key]:x} against {cell}")
        self.notes.append(f"kphdyn.xml: {compared} cells compared")

    # -- the tables --

    def layouts_table(self):
        columns = self.layouts
        yield ["id"] + [x.identity() for x in columns]
        yield ["arch"] + [x.arch for x in columns]
        yield ["build"] + [str(x.build()) for x in columns]
        yield ["versions"] + [x.range() for x in columns]
        yield ["source"] + ["; ".join(x.sources) for x in columns]
        yield ["coverage"] + ["partial" if x.partial else "full" for x in columns]
        for number, row in enumerate(self.wanted.rows):
            yield [row] + [x.cells[number] for x in columns]

    def kernels_table(self):
        yield ["version", "guid", "age", "pdb", "arch", "layout", "source"]
        for table, layout in self.by_guid():
            yield [version_text(table["version"]), table["guid"], str(table["age"]), table["pdb"], table["arch"],
                   layout.identity(), "isf/" + table["file"]]  # fmt: skip

    def symbols_table(self):
        yield ["guid"] + self.wanted.symbols
        for table in self.isf:
            yield [table["guid"]] + table["symbols"]

    def builds_table(self):
        yield ["arch", "version", "time_stamp", "size_of_image", "file", "ObjectTable", "SectionObject"]
        for row in self.builds:
            fields = [ABSENT if row[k] is None else format(row[k], "x") for k in ("object_table", "section_object")]
            numbers = [f"{row['stamp']:08x}", f"{row['size']:x}"]
            yield [row["arch"], version_text(row["version"])] + numbers + [row["file"]] + fields

    def tables(self):
        named = {"layouts.tsv": self.layouts_table(), "kernels.tsv": self.kernels_table(),
                 "symbols.tsv": self.symbols_table(), "builds.tsv": self.builds_table()}  # fmt: skip
        for name, rows in named.items():
            out = io.StringIO()
            out.write("# SPDX-License-Identifier: Apache-2.0\n")
            out.write("# Written by tools/distil.py; see facts/README.md.\n")
            for row in rows:
                out.write("\t".join(row) + "\n")
            yield name, out.getvalue()


def summary_of_difference(name, old, new):
    old_lines, new_lines = old.splitlines(), new.splitlines()
    if len(old_lines) != len(new_lines):
        yield f"{name}: {len(old_lines)} lines, {len(new_lines)} expected"
    shown = 0
    for number, (a, b) in enumerate(zip(old_lines, new_lines), 1):
        if a == b:
            continue
        a_cells, b_cells = a.split("\t"), b.split("\t")
        for column, (x, y) in enumerate(zip(a_cells, b_cells)):
            if x != y:
                yield f"{name}:{number}: row {b_cells[0]}, column {column}: {x!r}, {y!r} expected"
                break
        else:
            yield f"{name}:{number}: {len(a_cells)} columns, {len(b_cells)} expected"
        shown += 1
        if shown == 10:
            yield f"{name}: and perhaps more"
            return


def check(facts, folder):
    differences = []
    for name, text in facts.tables():
        path = os.path.join(folder, name)
        old = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8", newline="") as file:
                old = file.read()
        differences += summary_of_difference(name, old, text) if old != text else []
    return differences


def main(arguments):
    checking = arguments[:1] == ["--check"]
    if checking:
        arguments = arguments[1:]
    if not arguments:
        shared = os.environ.get("INVAR_SHARED") or os.path.join(os.path.dirname(ROOT), "shared")
        arguments = [os.path.join(shared, "data"), os.path.join(ROOT, "facts")]
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    data, folder = arguments
    if not os.path.isdir(os.path.join(data, "isf")):
        print(f"{data} is absent: nothing to check against")
        return 77  # "skipped", to meson
    facts = Facts(data)
    for note in facts.notes:
        print(f"note: {note}")
    for contradiction in facts.contradictions:
        print(f"contradiction: {contradiction}")
    if not checking:
        for name, text in facts.tables():
            with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            print(f"{name}: {len(text)} bytes")
        print(f"{len(facts.layouts)} layouts, {len(facts.isf)} kernels, {len(facts.builds)} builds")
        return 1 if facts.contradictions else 0
    differences = check(facts, folder)
    for difference in differences:
        print(f"differs: {difference}")
    return 1 if differences or facts.contradictions else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
