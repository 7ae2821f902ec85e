-- SPDX-License-Identifier: Apache-2.0
-- Two containers, each with its own session manager, session and csrss, which knows those of the container; a job within one.
local first = process{name = "csrss.exe", parent = 504, session = 0, threads = 5, user = "system", csrss = true}
local services = process{name = "services.exe", parent = 504, session = 0, threads = 3}
local m = desktop()
local function container(id)
	local c = {}
	c.smss = process{name = "smss.exe", parent = m.smss, threads = 2}
	c.silo = silo{c.smss}
	c.csrss = process{name = "csrss.exe", parent = c.smss, session = id, threads = 5, user = "system", csrss = true}
	c.wininit = process{name = "wininit.exe", parent = c.smss, session = id, threads = 2, user = "system"}
	c.services = process{name = "services.exe", parent = c.wininit, session = id, threads = 3, user = "system"}
	c.app = process{name = "app.exe", parent = c.services, session = id, threads = 2, user = "user"}
	leaders(c.silo, c.smss, c.csrss)
	silo_sessions(c.silo, id)
	return c
end
local a, b = container(2), container(3)
leaders(nil, m.smss, first)
job({a.app}, a.silo)
process{name = "child.exe", parent = a.app, session = 2, threads = 1, user = "user"}
process{name = "old.exe", parent = b.app, session = 3, state = "zombie"}
clean()
