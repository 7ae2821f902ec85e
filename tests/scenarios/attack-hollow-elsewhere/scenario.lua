-- SPDX-License-Identifier: Apache-2.0
-- The program stays where it was, and the PEB says that it is another that stands in private memory.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
local at = alloc(p, {size = 0x4000, bytes = read_memory(p, get(p, "_EPROCESS.SectionBaseAddress"), 0x3000)})
protect(p, at, 0x4000, "rx")
peb(p, {image_base = at})
breaks("I01")
