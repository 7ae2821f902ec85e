-- SPDX-License-Identifier: Apache-2.0
-- A process that pretends to be a pico process by one of its two marks.
local m = desktop()
local code = alloc(m.notepad, {size = 0x1000, protect = "rx", bytes = "\xc3"})
thread(m.notepad, {native_start = code, start = code})
set(m.notepad, "_EPROCESS.PicoContext", m.system.address + 0x1000)
breaks("C06")
