-- SPDX-License-Identifier: Apache-2.0
-- A program leaves its container with its job, so that the kernel's records agree: the container's csrss has it on its list.
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
local a = container(2)
unlink(a.app, "job")
set(a.app, "_EPROCESS.Job", 0)
set(a.app, "_EPROCESS.ServerSilo", 0)
set(a.silo, "_EJOB.ActiveProcesses", get(a.silo, "_EJOB.ActiveProcesses") - 1)
set(a.app, "_EPROCESS.ServerSilo", 0) -- as it is: the lie is about this process
breaks("S11")
