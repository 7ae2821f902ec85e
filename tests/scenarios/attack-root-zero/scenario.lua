-- SPDX-License-Identifier: Apache-2.0
-- DirectoryTableBase points to a page of zeros that the kernel uses for something else.
local m = desktop()
set(m.notepad, "_KPROCESS.DirectoryTableBase", (page()))
breaks("L05")
