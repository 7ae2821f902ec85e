-- SPDX-License-Identifier: Apache-2.0
-- DirectoryTableBase points to a copy of the root whose self-map entry still leads to the original.
local m = desktop()
set(m.notepad, "_KPROCESS.DirectoryTableBase", copy_root(m.notepad))
breaks("L05")
