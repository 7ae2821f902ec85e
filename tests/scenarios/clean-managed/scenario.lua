-- SPDX-License-Identifier: Apache-2.0
-- A program of .NET for any machine: its file is one of i386, and it runs as 64-bit.
local m = desktop()
local p = process{name = "app.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\app.exe", parent = m.explorer, session = 1, threads = 2}
local base = get(p, "_EPROCESS.SectionBaseAddress")
local header = base + string.unpack("<I4", read_memory(p, base + 0x3c, 4))
write_memory(p, header + 24 + 112 + 14 * 8, string.pack("<I4I4", 0x1000, 72))
local section = get(p, "_EPROCESS.SectionObject")
local segment = has("_SECTION.ControlArea") and get(get(section, "_SECTION.ControlArea"), "_CONTROL_AREA.Segment") or get(section, "_SECTION_OBJECT.Segment")
set(get(segment, "_SEGMENT.ImageInformation"), "_SECTION_IMAGE_INFORMATION.Machine", 0x14c)
clean()
