-- SPDX-License-Identifier: Apache-2.0
-- The same, with a forged flag: who asked for it is in its own session.
local m = desktop()
local services = process{name = "services.exe", parent = 64000, session = 0, threads = 2}

local p = process{name = "moved.exe", parent = services, creator = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.CrossSessionCreate", 1)
breaks("P04")
