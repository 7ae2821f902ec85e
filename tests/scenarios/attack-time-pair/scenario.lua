-- SPDX-License-Identifier: Apache-2.0
-- Two processes get other times, by the same difference, as if the clock had been set. Those created between them do not
-- show it.
local m = desktop()
pass(1800)
local p = process{name = "late.exe", parent = m.explorer, session = 1, threads = 2}
pass(1800)
process{name = "last.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.CreateTime", p.created + seconds(3600))
breaks("P02")
set(m.notepad, "_EPROCESS.CreateTime", m.notepad.created + seconds(3600))
breaks("P02")
