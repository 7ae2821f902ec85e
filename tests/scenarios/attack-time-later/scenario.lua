-- SPDX-License-Identifier: Apache-2.0
-- Both times of a process are set forward.
local m = desktop()
pass(1500)
local mid = process{name = "mid.exe", parent = m.explorer, session = 1, threads = 2}
pass(1800)
local p = process{name = "late.exe", parent = m.explorer, session = 1, threads = 2}
pass(1800)
process{name = "last.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.CreateTime", p.created + seconds(2000))
set(p, "_EPROCESS.CreateInterruptTime", p.created + seconds(2000) - boot_time())
breaks("P02", "T15")
