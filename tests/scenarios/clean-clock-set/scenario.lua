-- SPDX-License-Identifier: Apache-2.0
-- The clock is set forward by an hour and, later, back by two.
local m = desktop()
pass(600)
process{name = "a.exe", parent = m.explorer, session = 1, threads = 2}
set_clock(3600)
process{name = "b.exe", parent = m.explorer, session = 1, threads = 2}
local z = process{name = "c.exe", parent = m.explorer, session = 1, threads = 2}
exit(z)
open(m.csrss, z)
set_clock(-7200)
process{name = "d.exe", parent = m.explorer, session = 1, threads = 2}
excused("P02")
clean()
