-- SPDX-License-Identifier: Apache-2.0
-- DirectoryTableBase points to a perfect copy of the root: only the PFN database knows it for a page of pool.
local m = desktop()
set(m.notepad, "_KPROCESS.DirectoryTableBase", copy_root(m.notepad, true))
breaks("L05")
