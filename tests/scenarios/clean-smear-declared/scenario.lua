-- SPDX-License-Identifier: Apache-2.0
-- A tool that writes crash dumps of running machines says so in the header: then one young process is enough to be excused.
local m = desktop()
header{bugcheck = 0x5454414d}
acquire(50)
process{name = "late.exe", parent = m.explorer, session = 1, threads = 2}
acquire(100)
clean()
