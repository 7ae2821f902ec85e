-- SPDX-License-Identifier: Apache-2.0
-- A process that is swapped out: its root is on the standby list.
local m = desktop()
set(m.notepad, "_EPROCESS.Outswapped", 1)
set(pfn(m.notepad), "_MMPFN.PageLocation", 2)
excused("L05")
clean()
