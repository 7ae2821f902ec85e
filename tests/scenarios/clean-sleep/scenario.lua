-- SPDX-License-Identifier: Apache-2.0
-- The machine sleeps for a night, and for another: the wall clock goes on, and interrupt time does not.
local m = desktop()
pass(600)
process{name = "a.exe", parent = m.explorer, session = 1, threads = 2}
set_clock(28800)
process{name = "b.exe", parent = m.explorer, session = 1, threads = 2}
local z = process{name = "c.exe", parent = m.explorer, session = 1, threads = 2}
exit(z)
open(m.csrss, z)
set_clock(32400)
process{name = "d.exe", parent = m.explorer, session = 1, threads = 2}
excused("P02")
clean()
