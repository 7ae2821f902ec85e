-- SPDX-License-Identifier: Apache-2.0
-- A pico process: its provider starts threads where it likes and makes no TEBs.
local m = desktop()
driver("lxcore.sys")
register("pico", "lxcore.sys")
local guest = process{name = "init", parent = m.explorer, session = 1}
local code = alloc(guest, {size = 0x1000, protect = "rx", bytes = "\xc3"})
thread(guest, {native_start = code, start = code, teb = false})
set(guest, "_EPROCESS.PicoContext", m.system.address + 0x1000)
set(guest, "_EPROCESS.PicoCreated", 1)
excused("T18", "T11")
clean()
