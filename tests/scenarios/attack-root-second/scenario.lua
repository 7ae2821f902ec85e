-- SPDX-License-Identifier: Apache-2.0
-- A copied root with a forged PFN entry: the process has two roots now.
local m = desktop()
local copy = copy_root(m.notepad, true)
set(pfn(copy), "_MMPFN.PteFrame", copy >> 12)
set(pfn(copy), "_MMPFN.PteAddress", get(pfn(m.notepad), "_MMPFN.PteAddress"))
set_owner(copy, m.notepad)
set(m.notepad, "_KPROCESS.DirectoryTableBase", copy)
breaks("L05")
