-- SPDX-License-Identifier: Apache-2.0
-- The PFN entry of a root names another entry of the self-map.
local m = desktop()
local entry = pfn(m.notepad)
set(entry, "_MMPFN.PteAddress", get(entry, "_MMPFN.PteAddress") + 8)
breaks("L05")
