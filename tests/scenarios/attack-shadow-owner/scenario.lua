-- SPDX-License-Identifier: Apache-2.0
-- The root of user mode is that of another process.
machine{kva_shadow = true}
local m = desktop()
set(m.notepad, "_KPROCESS.UserDirectoryTableBase", m.explorer.user_dtb)
breaks("M04")
