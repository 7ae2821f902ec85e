-- SPDX-License-Identifier: Apache-2.0
-- The time of a process is set back by three days.
local m = desktop()
pass(1800)
local p = process{name = "late.exe", parent = m.explorer, session = 1, threads = 2}
pass(1800)
process{name = "last.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.CreateTime", p.created + seconds(-259200))
breaks("P02", "P07")
