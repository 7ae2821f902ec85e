-- SPDX-License-Identifier: Apache-2.0
-- A process is in another session than its parent, and nobody created it across sessions.
local m = desktop()
local services = process{name = "services.exe", parent = 64000, session = 0, threads = 2}

local p = process{name = "moved.exe", parent = services, session = 1, threads = 2}
set(p, "_EPROCESS.CrossSessionCreate", 0)
breaks("P04")
