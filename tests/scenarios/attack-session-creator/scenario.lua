-- SPDX-License-Identifier: Apache-2.0
-- The same, with a forged creator: a process of its session that came later.
local m = desktop()
local services = process{name = "services.exe", parent = 64000, session = 0, threads = 2}

local p = process{name = "moved.exe", parent = services, session = 1, threads = 2}
local later = process{name = "later.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.CrossSessionCreate", 0)
breaks("P04")
set(p, "_EPROCESS.OwnerProcessId", later.pid | 2)
breaks("P04")
