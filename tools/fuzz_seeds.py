#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the first inputs of fuzz targets: small memory, laid out by the tables of facts/, from which structures can be read to their
end. Nothing in them comes from a real machine.

usage: fuzz_seeds.py [TARGET...]

The inputs go to fuzz/corpus/fuzz_TARGET/seed-*. They name a layout by its place in facts/layouts.tsv: after a table was added before
it, run this again.
"""
import os
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAYOUTS = ("7601.24000", "19041.1826", "22000.795")
ARENA = 0xffff800000000000  # fuzz_fragment.h, fuzz_win32k.c
KERNEL = 0xfffff80000000000  # fuzz_kernel_half.h
USER = 0x10000  # of the targets that have a user half
PAGE = 0x1000


def rows(name):
    with open(os.path.join(ROOT, "facts", name), encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]


class Layout:
    def __init__(self, column, table):
        self.index = column - 1
        self.fields = {row[0]: row[column] for row in table}
        self.build = int(self.fields["build"])

    def offset(self, field):
        """Of a field in its type; None: the build has none."""
        cell = self.fields[field]
        return None if cell in "-?" else int(cell.split(":")[0], 16)

    def bit(self, field):
        """Its lowest bit, and how wide the integer is that it stands in; 0 and None of what is no bit field."""
        cell = self.fields[field]
        if ":" not in cell:
            return 0, None
        bits = cell.split(":")[1]
        return int(bits.split("+")[0]), int(bits.split("/")[1]) if "/" in bits else 8


class Memory:
    """What stands from `base` on, as far as something was written."""

    def __init__(self, layout, base, width=8):
        self.layout, self.base, self.width, self.bytes = layout, base, width, bytearray()

    def write(self, address, data):
        start = address - self.base
        self.bytes.extend(bytes(max(0, start + len(data) - len(self.bytes))))
        self.bytes[start:start + len(data)] = data

    def number(self, address, value, size=8):
        self.write(address, (value & (1 << 8 * size) - 1).to_bytes(size, "little"))

    def pointer(self, address, value):
        self.number(address, value, self.width)

    def at(self, thing, field):
        offset = self.layout.offset(field)
        return None if offset is None else thing + offset

    def put(self, thing, field, value, size=8):
        """A field, where the build has it; bits are added to those that stand there."""
        address = self.at(thing, field)
        if address is None:
            return
        low, width = self.layout.bit(field)
        if width is None:
            self.number(address, value, size)
            return
        self.number(address, self.read(address, width) | value << low, width)

    def read(self, address, size):
        start = address - self.base
        return int.from_bytes(self.bytes[start:start + size].ljust(size, b"\0"), "little")

    def ring(self, *entries):
        """A list of LIST_ENTRYs; the first one is its head."""
        for entry, after in zip(entries, entries[1:] + entries[:1]):
            self.pointer(entry, after)
            self.pointer(after + self.width, entry)

    def text(self, where, buffer, text):
        """A UNICODE_STRING."""
        data = text.encode("utf-16-le")
        self.number(where, len(data) | len(data) + 2 << 16, 4)
        self.pointer(where + self.width, buffer)
        self.write(buffer, data + b"\0\0")


def fragment(layout, memory):
    return bytes([layout.index]) + bytes(memory.bytes)


def apc(layout):
    m = Memory(layout, ARENA)
    m.put(ARENA, "_KTHREAD.ApcStateIndex", 1, 1)
    m.put(ARENA, "_KTHREAD.TrapFrame", ARENA + 0x1400)
    for number, (field, queue) in enumerate((field, queue) for field in ("_KTHREAD.ApcListHead", "_KTHREAD.SavedApcListHead")
                                            for queue in range(2)):
        entries = [m.at(ARENA, field) + 16 * queue]
        for i in range(2):
            apc_at = ARENA + 0x1000 + 0x100 * number + 0x80 * i
            m.put(apc_at, "_KAPC.Type", 18, 1)
            m.put(apc_at, "_KAPC.Thread", ARENA)
            m.put(apc_at, "_KAPC.KernelRoutine", ARENA + 0x2000)
            m.put(apc_at, "_KAPC.NormalRoutine", -0x401000 * 4 if i else 0x7ff600001000)
            m.put(apc_at, "_KAPC.ApcMode", queue, 1)
            m.put(apc_at, "_KAPC.Inserted", 1, 1)
            entries.append(m.at(apc_at, "_KAPC.ApcListEntry"))
        m.ring(*entries)
    m.put(ARENA + 0x1400, "_KTRAP_FRAME.Rip", 0x7ff600001234)
    m.put(ARENA + 0x1400, "_KTRAP_FRAME.Rsp", 0x7fe000)
    m.put(ARENA + 0x1400, "_KTRAP_FRAME.SegCs", 0x33, 2)
    m.put(ARENA + 0x1400, "_KTRAP_FRAME.EFlags", 0x202, 4)
    yield "", fragment(layout, m)


def holdings(m, single):
    header = ARENA + PAGE
    m.put(header, "_OBJECT_HEADER.InfoMask", 4, 1)
    info = header - 0x10
    if single:
        m.put(header, "_OBJECT_HEADER.Flags", 0x40, 1)
        m.put(info, "_OBJECT_HEADER_HANDLE_INFO.Process", ARENA + 0x3000)
        m.put(info, "_OBJECT_HEADER_HANDLE_INFO.HandleCount", 2, 4)
        return
    table = ARENA + 0x1100
    m.put(info, "_OBJECT_HEADER_HANDLE_INFO.HandleCountDataBase", table)
    m.put(table, "_OBJECT_HANDLE_COUNT_DATABASE.CountEntries", 3, 4)
    for i in range(3):
        entry = m.at(table, "_OBJECT_HANDLE_COUNT_DATABASE.HandleCountEntries") + 16 * i
        m.put(entry, "_OBJECT_HANDLE_COUNT_ENTRY.Process", ARENA + 0x3000 if i != 1 else 0)
        m.put(entry, "_OBJECT_HANDLE_COUNT_ENTRY.HandleCount", i, 4)


def backlinks(layout):
    m = Memory(layout, ARENA)
    m.put(ARENA, "_ETW_REG_ENTRY.Process", ARENA + 0x3000)
    m.put(ARENA, "_ETW_REG_ENTRY.DbgUserRegistration", 1, 1)
    holdings(m, True)
    yield "registration", fragment(layout, m)
    m = Memory(layout, ARENA)
    timer_apc = m.at(ARENA, "_ETIMER.TimerApc")
    m.put(timer_apc, "_KAPC.Type", 18, 1)
    m.put(timer_apc, "_KAPC.Thread", ARENA + 0x2000)
    entry = m.at(ARENA, "_ETIMER.ActiveTimerListEntry")
    m.ring(ARENA + 0x2000, entry)
    holdings(m, False)
    yield "timer", fragment(layout, m)
    m = Memory(layout, ARENA)
    if layout.offset("_EJOB.ServerSiloGlobals") is None:
        return
    silo = ARENA + 0x1200
    m.put(ARENA, "_EJOB.ServerSiloGlobals", silo)
    m.put(silo, "_ESERVERSILO_GLOBALS.MiSessionLeaderProcess", ARENA + 0x3000)
    m.put(silo, "_ESERVERSILO_GLOBALS.ExpDefaultErrorPort", ARENA + 0x3100)
    yield "silo", fragment(layout, m)


def symbols():
    with open(os.path.join(ROOT, "src", "facts", "symbols.def"), encoding="utf-8") as file:
        return [line[len("INV_SYMBOL("):].split(",")[0] for line in file if line.startswith("INV_SYMBOL(")]


def callbacks(layout):
    m = Memory(layout, ARENA)
    place = {name: ARENA + 0x40 * index for index, name in enumerate(symbols())}  # fuzz_callbacks.c
    driver, routine = ARENA + 8 * PAGE, ARENA + 9 * PAGE
    kinds = ("PspCreateProcessNotifyRoutine", "PspCreateThreadNotifyRoutine", "PspLoadImageNotifyRoutine")
    for i, name in enumerate(kinds):
        block = ARENA + 0x3000 + 0x40 * i
        m.number(block + 8, routine + 0x40 * i)
        m.number(block + 16, 2)
        m.number(place[name], block | 0xf)
        m.number(place[name + "Count"], 1, 4)
    m.number(place["PspNotifyEnableMask"], 0x1f, 4)
    head, entry = place["CallbackListHead"], ARENA + 0x3100
    m.ring(head, entry)
    m.number(entry + 0x28, routine)
    m.text(entry + 0x30, ARENA + 0x3180, "385200")
    m.number(place["CmpCallBackCount"], 1, 4)
    kind, observer, registration = ARENA + 0x3200, ARENA + 0x3400, ARENA + 0x3480
    m.number(place["ObTypeIndexTable"] + 16, kind)
    m.put(kind, "_OBJECT_TYPE.Index", 2, 1)
    m.put(kind, "_OBJECT_TYPE.SupportsObjectCallbacks", 1, 1)
    m.put(kind, "_OBJECT_TYPE.OpenProcedure", routine)
    m.text(m.at(kind, "_OBJECT_TYPE.Name"), ARENA + 0x33e0, "Process")
    m.ring(m.at(kind, "_OBJECT_TYPE.CallbackList"), observer)
    m.number(observer + 0x14, 1, 4)
    m.number(observer + 0x18, registration)
    m.number(observer + 0x20, kind)
    m.number(observer + 0x28, routine)
    m.number(registration + 2, 1, 2)
    m.text(registration + 0x10, ARENA + 0x34c0, "321000")
    m.number(place["PsWin32CallBack"], ARENA + 0x3000 | 7)
    m.number(place["SeCiCallbacks"], 0x40)
    m.number(place["SeCiCallbacks"] + 8, routine)
    code = (b"\x31\xc0\xc3", b"\xe9\xfb\x0f\x00\x00", b"\x48\x89\x5c\x24\x08\x57\x48\x83\xec\x20",
            b"\x49\xba" + struct.pack("<Q", routine) + b"\x41\xff\xe2")
    for i, some in enumerate(code):
        m.write(routine + 0x40 * i, some)
    m.write(driver, b"MZ")
    m.number(driver + 0x3c, 0x80, 4)
    m.write(driver + 0x80, b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0x5f000000, 0, 0, 0xf0, 0x22))
    optional = driver + 0x98
    m.number(optional, 0x20b, 2)
    m.number(optional + 24, driver)
    m.write(optional + 32, struct.pack("<II", 0x1000, 0x200))
    m.write(optional + 56, struct.pack("<II", 6 * PAGE, 0x400))
    m.number(optional + 108, 16, 4)
    m.write(optional + 112 + 8, struct.pack("<II", 0x300, 40))
    m.write(optional + 0xf0, b".text\0\0\0" + struct.pack("<IIIIIIHHI", 0x1000, 0x1000, 0x1000, 0x400, 0, 0, 0, 0, 0x60000020))
    m.write(driver + 0x300, struct.pack("<IIIII", 0x340, 0, 0, 0x380, 0x360))
    m.write(driver + 0x340, struct.pack("<QQ", 0x390, 0))
    m.write(driver + 0x360, struct.pack("<QQ", 0x390, 0))
    m.write(driver + 0x380, b"ntoskrnl.exe\0")
    m.write(driver + 0x390, b"\0\0PsSetCreateProcessNotifyRoutine\0")
    yield "", fragment(layout, m)
    callback_blocks(m, kind, routine)
    yield "blocks", fragment(layout, m)


def callback_blocks(m, kind, routine):
    """The pool headers of what stands there, and blocks that nothing leads to."""
    def header(body, tag, size):
        m.write(body - 16, bytes((0, 0, (size + 31) // 16, 2)) + tag)

    def entry(number, tag, size, links=0):
        body = ARENA + 0x5010 + 0x80 * number
        header(body, tag, size)
        m.number(body + links, ARENA + 0x5800)
        m.number(body + links + 8, ARENA + 0x5808)
        return body

    for i in range(3):
        header(ARENA + 0x3000 + 0x40 * i, b"Cbrb", 0x18)
    header(ARENA + 0x3100, b"CMcb", 0x60)
    device, object_of = ARENA + 0x4000, ARENA + 0x4400
    m.put(device, "_DEVICE_OBJECT.Type", 3, 2)
    m.put(device, "_DEVICE_OBJECT.DriverObject", object_of)
    m.put(object_of, "_DRIVER_OBJECT.Type", 4, 2)
    m.text(m.at(object_of, "_DRIVER_OBJECT.DriverName"), ARENA + 0x4800, "\\Driver\\fuzz")
    m.number(m.at(object_of, "_DRIVER_OBJECT.MajorFunction") + 0x80, routine)
    for number, rundown in enumerate((0x20, 1, 0x20)):
        lone = ARENA + 0x5010 + 0x80 * number
        header(lone, b"Cbrb", 0x18)
        m.number(lone, rundown)
        m.number(lone + 8, routine)
    m.number(ARENA + 0x5900, ARENA + 0x5010 | 0xf)
    m.number(entry(3, b"CMcb", 0x60) + 0x28, routine)
    registration = entry(4, b"ObFl", 0x60, 0x20)
    m.number(registration, 0x10100, 4)
    m.number(registration + 0x38, registration)
    m.number(registration + 0x40, kind)
    m.number(registration + 0x48, routine)
    m.number(entry(6, b"IoSh", 0x18) + 0x10, device)
    system = entry(7, b"IoFs", 0x20)
    m.number(system + 0x10, object_of)
    m.number(system + 0x18, routine)
    m.number(entry(8, b"DbCb", 0x28, 0x18) + 0x10, routine)
    for number, (tag, category) in enumerate(((b"Pnp9", 1), (b"PnpD", 2), (b"PnpC", 3))):
        told = entry(9 + number, tag, 0x50)
        m.number(told + 0x10, category, 4)
        m.number(told + 0x20, routine)
        m.number(told + 0x30, object_of)
    m.write(ARENA, b"MZ")  # the kernel's data is the sixth page; no symbol that is asked for stands so early
    m.number(ARENA + 0x3c, 0x80, 4)
    m.write(ARENA + 0x80, b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0x5f000000, 0, 0, 0xf0, 0x22))
    m.number(ARENA + 0x98, 0x20b, 2)
    m.write(ARENA + 0x98 + 32, struct.pack("<II", 0x1000, 0x200))
    m.write(ARENA + 0x98 + 56, struct.pack("<II", 0x8000, 0x400))
    m.number(ARENA + 0x98 + 108, 16, 4)
    m.write(ARENA + 0x98 + 0xf0, b".data\0\0\0" + struct.pack("<IIIIIIHHI", 0x1000, 0x5000, 0x1000, 0x400, 0, 0, 0, 0, 0xc0000040))


def sid(authority, *parts):
    return struct.pack(">BBHI", 1, len(parts), 0, authority) + b"".join(struct.pack("<I", part) for part in parts)


def token(layout):
    m = Memory(layout, ARENA)
    sids = (sid(5, 21, 1, 2, 3, 1001), sid(5, 32, 544), sid(16, 0x2000), sid(15, 2, 1, 2, 3))
    for i, one in enumerate(sids):
        m.write(ARENA + 0x900 + 0x40 * i, one)
        m.put(ARENA + 0x800 + 16 * i, "_SID_AND_ATTRIBUTES.Sid", ARENA + 0x900 + 0x40 * i)
        m.put(ARENA + 0x800 + 16 * i, "_SID_AND_ATTRIBUTES.Attributes", 7, 4)
    m.write(m.at(ARENA, "_TOKEN.TokenSource"), b"User32 \0")
    for field, first, count in (("UserAndGroup", 0, 4), ("RestrictedSid", 1, 1), ("Capabilit", 3, 1)):
        counter = {"Capabilit": "CapabilityCount"}.get(field, field + "Count")
        array = {"Capabilit": "Capabilities"}.get(field, field + "s")
        m.put(ARENA, "_TOKEN." + counter, count, 4)
        m.put(ARENA, "_TOKEN." + array, ARENA + 0x800 + 16 * first)
    m.put(ARENA, "_TOKEN.IntegrityLevelIndex", 2, 4)
    m.put(ARENA, "_TOKEN.Package", ARENA + 0x900 + 0x40 * 3)
    m.put(ARENA, "_TOKEN.PrivilegesPresent", 0x602880000)
    table, names = ARENA + PAGE + 0x40, ARENA + PAGE + 0x400  # fuzz_token.c: SepLogonSessions at the second page
    m.number(ARENA + PAGE, table)
    for i in range(3):
        session = ARENA + PAGE + 0x100 + 0x100 * i
        if i == 1:
            m.put(ARENA + PAGE + 0x100, "_SEP_LOGON_SESSION_REFERENCES.Next", session)
        else:
            m.number(table + 8 * i, session)
        m.put(session, "_SEP_LOGON_SESSION_REFERENCES.LogonId", 0x3e7 + i)
        m.put(session, "_SEP_LOGON_SESSION_REFERENCES.ReferenceCount", 3, 4)
        for field, text in (("AccountName", "user"), ("AuthorityName", "HOST")):
            where = m.at(session, "_SEP_LOGON_SESSION_REFERENCES." + field)
            if where is not None:
                m.text(where, names, text)
                names += 16
    yield "", fragment(layout, m)


def put_loader(m, narrow):
    """PEB on the second page, the loader's lists of three modules and the parameters on the third."""
    peb, ldr, parameters, names = USER + PAGE, USER + 2 * PAGE, USER + 2 * PAGE + 0x600, USER + 3 * PAGE
    size = 4 if narrow else 8
    m.put(peb, "_PEB.Ldr", ldr, size)
    m.put(peb, "_PEB.ImageBaseAddress", USER + 4 * PAGE, size)
    m.put(peb, "_PEB.ProcessParameters", parameters, size)
    modules = [ldr + 0x100 + 0x140 * i for i in range(3)]
    for order in ("InLoadOrder", "InMemoryOrder", "InInitializationOrder"):
        m.ring(m.at(ldr, f"_PEB_LDR_DATA.{order}ModuleList"), *(m.at(one, f"_LDR_MODULE.{order}Links") for one in modules))
    for i, one in enumerate(modules):
        m.put(one, "_LDR_MODULE.DllBase", USER + 4 * PAGE, size)
        m.put(one, "_LDR_MODULE.SizeOfImage", 0x3000, 4)
        m.text(m.at(one, "_LDR_MODULE.FullDllName"), names + 0x80 * i, f"C:\\Windows\\module{i}.dll")
        m.text(m.at(one, "_LDR_MODULE.BaseDllName"), names + 0x80 * i + 0x40, f"module{i}.dll")
    m.put(parameters, "_RTL_USER_PROCESS_PARAMETERS.Length", 0x400, 4)
    m.put(parameters, "_RTL_USER_PROCESS_PARAMETERS.MaximumLength", 0x400, 4)
    for i, field in enumerate(("ImagePathName", "CommandLine", "CurrentDirectory")):
        m.text(m.at(parameters, "_RTL_USER_PROCESS_PARAMETERS." + field), names + 0x200 + 0x40 * i, f"C:\\a{i}.exe")
    m.write(USER + 4 * PAGE, b"MZ" + bytes(58) + struct.pack("<I", 0x40) + b"PE\0\0" +
            struct.pack("<HHIIIHH", 0x8664, 0, 0x5f000000, 0, 0, 0xf0, 0x22) + struct.pack("<H", 0x20b) + bytes(54) +
            struct.pack("<II", 0x3000, 0x400))


def peb(layout):
    m = Memory(layout, USER)
    put_loader(m, False)
    yield "", bytes([layout.index, 0]) + struct.pack("<I", 0x1f) + bytes(m.bytes)
    # The 32-bit half of a process: as the x86 kernel of the same build, or the nearest below (inv_layout_for_wow64()).
    table = rows("layouts.tsv")
    columns = [Layout(i, table) for i in range(1, len(table[0]))]
    below = [one for one in columns if one.fields["arch"] == "x86" and one.fields["coverage"] == "full" and
             one.build <= layout.build]
    m = Memory(max(below, key=lambda one: one.build), USER, 4)
    put_loader(m, True)
    yield "wow64", bytes([layout.index, 1]) + struct.pack("<I", 0x1f) + bytes(m.bytes)


def ranges(layout):
    m = Memory(layout, KERNEL)
    root, nodes = m.at(KERNEL, "_EPROCESS.VadRoot"), [KERNEL + 0x2000 + 0x100 * i for i in range(3)]
    m.number(root, nodes[0])
    m.put(KERNEL, "_EPROCESS.VadCount", 3)
    table = m.at(KERNEL, "_EPROCESS.VadRootParent") or 0
    m.put(nodes[0], "_MMVAD_SHORT.Left", nodes[1])
    m.put(nodes[0], "_MMVAD_SHORT.Right", nodes[2])
    subsection, area, segment, file = (KERNEL + 0x2400 + 0x100 * i for i in range(4))
    for i, node in enumerate(nodes):
        first = (0x20, 0x10, 0x40)[i]
        m.put(node, "_MMVAD_SHORT.ParentValue", nodes[0] if i else table)
        m.put(node, "_MMVAD_SHORT.StartingVpn", first, 4)
        m.put(node, "_MMVAD_SHORT.EndingVpn", first + 7, 4)
        m.put(node, "_MMVAD_SHORT.Protection", 4)
        if i != 2:
            m.put(node, "_MMVAD_SHORT.PrivateMemory", 1)
            continue
        m.put(node, "_MMVAD_SHORT.VadType", 2)
        m.put(node, "_MMVAD.Subsection", subsection)
        m.put(node, "_MMVAD.FirstPrototypePte", KERNEL + 0x2900)
        m.put(node, "_MMVAD.LastContiguousPte", KERNEL + 0x2938)
    m.put(subsection, "_SUBSECTION.ControlArea", area)
    m.put(subsection, "_SUBSECTION.SubsectionBase", KERNEL + 0x2900)
    m.put(subsection, "_SUBSECTION.PtesInSubsection", 8, 4)
    m.put(area, "_CONTROL_AREA.Segment", segment)
    m.put(area, "_CONTROL_AREA.FilePointer", file | 5)
    m.put(area, "_CONTROL_AREA.Image", 1)
    m.put(segment, "_SEGMENT.ControlArea", area)
    m.put(segment, "_SEGMENT.TotalNumberOfPtes", 8, 4)
    m.put(segment, "_SEGMENT.PrototypePte", KERNEL + 0x2900)
    m.put(file, "_FILE_OBJECT.Type", 5, 2)
    m.text(m.at(file, "_FILE_OBJECT.FileName"), KERNEL + 0x2880, "\\a.dll")
    # Tables of the user half, from the third page of the input on: a page, a large page, one that is paged out, one in transition.
    first = 8  # the frame that the input begins at
    m.number(KERNEL + 3 * PAGE, (first + 4) << 12 | 0x67)
    m.number(KERNEL + 4 * PAGE, (first + 5) << 12 | 0x67)
    m.number(KERNEL + 4 * PAGE + 8, 0x200000 | 0xe7)
    for i, entry in enumerate(((first + 6) << 12 | 0x67, 0x80, 0x12345600000080, (first + 6) << 12 | 0x880)):
        m.number(KERNEL + 5 * PAGE + 8 * (0x10 + i), entry)
    m.write(KERNEL + 6 * PAGE, b"page")
    yield "", bytes([layout.index]) + struct.pack("<I", 0xffffffff) + bytes([0, 3, 1]) + bytes(m.bytes)


def disassembly(layout):
    if layout.build != 7601:
        return
    code = {
        "function": "48895c2408 57 4883ec20 488bd9 e8fbffffff 85c0 740a 488d0d10000000 ff15f8ffffff 488b5c2430 4883c420 5f c3",
        "vector": "c5fc1001 c4e27d18c8 62f17c481000 660f6fc1 f30f1efa 0f05 cd2e 0f0b",
        "narrow": "8bff 55 8bec 64a130000000 8b400c ff750c e800000000 ff1500104000 5d c20800",
        "broken": "f0f0f0 0fff 48 d6 67 66 2e 9a ff",
    }
    for name, text in code.items():
        yield name, bytes.fromhex(text.replace(" ", ""))


def csrss(layout):
    m = Memory(layout, USER)  # its first page is the table of handles
    body = layout.offset("_OBJECT_HEADER.Body")
    bits = layout.fields["_HANDLE_TABLE_ENTRY.ObjectPointerBits"]

    def entry(index, thing):
        header = thing - body
        shift = None if bits in "-?" else layout.bit("_HANDLE_TABLE_ENTRY.ObjectPointerBits")[0]
        m.number(USER + 16 * index, (header if shift is None else header >> 4 << shift) & (1 << 64) - 1 | 1)
        m.number(USER + 16 * index + 8, 0x1fffff, 4)

    records = [USER + PAGE + 0x100 * i for i in range(4)]
    for i, record in enumerate(records):
        thread = record + 0x80
        m.number(record, 0x200 + 4 * i)
        m.number(record + 8, 0x300 + 4 * i)
        m.number(record + 0x50, 4 * i if i else -1)
        m.number(record + 0x58, i, 4)
        if i:
            entry(i, KERNEL + i * PAGE + 0x100)
        m.ring(record + 0x20, thread + 8)
        m.ring(thread + 0x18)
        m.number(thread + 0x28, 0x200 + 4 * i)
        m.number(thread + 0x30, 0x300 + 4 * i)
        m.number(thread + 0x38, record)
        m.number(thread + 0x40, 4 * i)
    m.ring(*(record + 0x10 for record in records))
    yield "", bytes([layout.index]) + struct.pack("<I", 0xffff) + bytes(m.bytes)


def session(layout):
    """A session of the host and one of a silo, whose job is within another."""
    process, job, outer, shared = (ARENA + PAGE * i for i in (1, 2, 3, 4))
    globals_at, data = shared + 0x400, shared + 0xc00
    for name, number, state, console in (("", 2, 6, 1), ("disconnected", 3, 5, 1)):
        m = Memory(layout, ARENA)
        m.put(ARENA, "_MM_SESSION_SPACE.SessionId", number, 4)
        m.put(ARENA, "_MM_SESSION_SPACE.IoState", state, 4)
        m.put(ARENA, "_MM_SESSION_SPACE.ProcessReferenceToSession", 5, 4)
        m.put(process, "_EPROCESS.Session", ARENA)
        m.put(job, "_EJOB.ParentJob", outer)
        for silo in (job, outer) if name else (outer,):
            m.put(silo, "_EJOB.ServerSiloGlobals", globals_at)
        m.put(globals_at, "_ESERVERSILO_GLOBALS.MiSessionLeaderProcess", process)
        m.put(globals_at, "_ESERVERSILO_GLOBALS.ExpDefaultErrorPortProcess", process)
        m.put(globals_at, "_ESERVERSILO_GLOBALS.UserSharedData", data)
        m.put(data, "_SILO_USER_SHARED_DATA.ServiceSessionId", number)
        m.put(data, "_SILO_USER_SHARED_DATA.ActiveConsoleId", number + 1)
        m.put(shared, "_KUSER_SHARED_DATA.ActiveConsoleId", console, 4)
        yield name, fragment(layout, m)


def win32k(layout):
    builds = {7601: 0, 19041: 5, 22000: 6}  # fuzz_win32k.c
    m = Memory(layout, ARENA)
    for i in range(8):
        process, thread = ARENA + PAGE * i, ARENA + PAGE * i + 0x800
        window, info, graphics = process + 0xb00, process + 0xc10, process + 0x700
        m.put(process, "_DISPATCHER_HEADER.Type", 3, 1)
        m.put(thread, "_DISPATCHER_HEADER.Type", 6, 1)
        m.put(process, "_EPROCESS.Win32Process", window)
        m.put(thread, "_KTHREAD.Win32Thread", info)
        m.put(thread, "_KTHREAD.Process", process)
        m.number(window, process)
        m.number(window + 0x38, 4 * i, 4)
        m.number(info, thread)
        m.number(info + (0x158 if layout.build < 9200 else 0x190), window)
        m.put(process, "_EPROCESS.DxgProcess", graphics)
        m.number(graphics + 0x38, process)
        m.number(window + 0xf8, graphics)
    yield "", bytes([layout.index, builds[layout.build]]) + bytes(m.bytes)


TARGETS = {function.__name__: function
           for function in (apc, backlinks, callbacks, csrss, disassembly, peb, ranges, session, token, win32k)}


def main():
    table = rows("layouts.tsv")
    for target in sys.argv[1:] or TARGETS:
        folder = os.path.join(ROOT, "fuzz", "corpus", "fuzz_" + target)
        os.makedirs(folder, exist_ok=True)
        for identity in LAYOUTS:
            layout = Layout(table[0].index(identity), table)
            for name, data in TARGETS[target](layout):
                parts = ["seed", name] if target == "disassembly" else ["seed", *([name] if name else []), str(layout.build)]
                with open(os.path.join(folder, "-".join(parts)), "wb") as file:
                    file.write(data)


if __name__ == "__main__":
    main()
