-- SPDX-License-Identifier: Apache-2.0
-- Two processes with one address space.
local m = desktop()
set(m.notepad, "_KPROCESS.DirectoryTableBase", m.explorer.dtb)
breaks("M01", "L05")
