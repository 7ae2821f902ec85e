-- SPDX-License-Identifier: Apache-2.0
-- The parent passes for one that leads sessions: its own session is wiped, whose list still shows it.
local m = desktop()
local services = process{name = "services.exe", parent = 64000, session = 0, threads = 2}

process{name = "svchost.exe", parent = services, session = 0, threads = 2}
local p = process{name = "moved.exe", parent = services, session = 1, threads = 2}
set(p, "_EPROCESS.CrossSessionCreate", 0)
set(services, "_EPROCESS.Session", 0)
breaks("L04")
set(services, "_EPROCESS.ProcessInSession", 0)
breaks("L04")
