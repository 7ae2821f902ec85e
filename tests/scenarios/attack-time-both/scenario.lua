-- SPDX-License-Identifier: Apache-2.0
-- Both times of a process are set back by three quarters of an hour.
local m = desktop()
pass(1500)
process{name = "mid2.exe", parent = m.explorer, session = 1}
local mid = process{name = "mid.exe", parent = m.explorer, session = 1, threads = 2}
pass(1800)
local p = process{name = "late.exe", parent = m.explorer, session = 1, threads = 2}
pass(1800)
process{name = "last.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.CreateTime", p.created + seconds(-2700))
set(p, "_EPROCESS.CreateInterruptTime", p.created + seconds(-2700) - boot_time())
breaks("P02")
