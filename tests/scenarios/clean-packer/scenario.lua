-- SPDX-License-Identifier: Apache-2.0
-- A program unpacks itself: its own code becomes writable, is written, and becomes executable again.
local m = desktop()
local p = process{name = "packed.exe", parent = m.explorer, session = 1}
local base = module(p, "packed.exe")
protect(p, base + 0x1000, 0x1000, "rwx")
write_memory(p, base + 0x1000, string.rep("\xcc", 512))
protect(p, base + 0x1000, 0x1000, "rx")
