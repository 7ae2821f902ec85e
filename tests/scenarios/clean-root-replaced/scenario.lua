-- SPDX-License-Identifier: Apache-2.0
-- MmStealTopLevelPage moves the root of a process to another frame: for a moment there are two.
local m = desktop()
local copy = copy_root(m.notepad, true)
set(pfn(copy), "_MMPFN.PteFrame", copy >> 12)
set(pfn(copy), "_MMPFN.PteAddress", get(pfn(m.notepad), "_MMPFN.PteAddress"))
set_owner(copy, m.notepad)
set(m.notepad, "_EPROCESS.ReplacingPageRoot", 1)
excused("L05")
clean()
