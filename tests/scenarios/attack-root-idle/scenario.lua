-- SPDX-License-Identifier: Apache-2.0
-- A process pretends to share System's root as Idle does.
local m = desktop()
set(m.notepad, "_KPROCESS.DirectoryTableBase", m.system.dtb)
breaks("L05")
