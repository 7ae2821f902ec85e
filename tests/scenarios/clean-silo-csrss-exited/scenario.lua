-- SPDX-License-Identifier: Apache-2.0
-- csrss has not dropped the record yet of one that has exited and is in no container any more.
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
exit(a.app)
set(a.app, "_EPROCESS.ServerSilo", 0)
csr_adopt(a.csrss, a.app)
excused("S11")
clean()
