-- SPDX-License-Identifier: Apache-2.0
-- The process denies its root of user mode.
machine{kva_shadow = true}
local m = desktop()
set(m.notepad, "_KPROCESS.UserDirectoryTableBase", 0)
breaks("L05")
