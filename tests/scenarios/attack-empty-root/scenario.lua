-- SPDX-License-Identifier: Apache-2.0
-- DirectoryTableBase points to a page of zeros.
local m = desktop()
set(m.notepad, "_KPROCESS.DirectoryTableBase", 0x3000)
breaks("M02")
