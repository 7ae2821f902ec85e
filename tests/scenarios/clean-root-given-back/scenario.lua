-- SPDX-License-Identifier: Apache-2.0
-- State d2: the page table root was given back. Its page is free, or holds other data, or is the root of another process by now;
-- DirectoryTableBase still names it.
local m = desktop()
run(0, m.explorer.threads[1])
process{name = "free.exe", parent = m.explorer, session = 1, state = "d2"}
local torn = process{name = "torn.exe", parent = m.explorer, session = 1, state = "d2"}
write_physical(torn.dtb, ("\xa5"):rep(4096))
local taken = process{name = "taken.exe", parent = m.explorer, session = 1, state = "d2"}
set(taken, "_KPROCESS.DirectoryTableBase", m.cmd.dtb)
excused("L05", "M01", "M02")
clean()
