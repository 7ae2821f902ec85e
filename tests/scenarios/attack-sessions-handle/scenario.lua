-- SPDX-License-Identifier: Apache-2.0
-- The handle in a record leads to a process of another session: that one is accused of nothing.
local first = process{name = "csrss.exe", parent = 504, session = 0, threads = 5, user = "system", csrss = true}
local services = process{name = "services.exe", parent = 504, session = 0, threads = 3}
local m = desktop()
local function enter(id)
	local s = {}
	s.csrss = process{name = "csrss.exe", parent = 600, session = id, threads = 6, gui = true, user = "system", csrss = true}
	s.winlogon = process{name = "winlogon.exe", parent = 600, session = id, threads = 3, gui = true, user = "system"}
	s.explorer = process{name = "explorer.exe", parent = 616, session = id, threads = 5, gui = true, user = "user"}
	s.notepad = process{name = "notepad.exe", parent = s.explorer, session = id, threads = 2, gui = true, user = "user"}
	return s
end
local r, d = enter(2), enter(3)
session(3, {state = "disconnected-logged-on"})
csr_set(m.cmd, "handle", open(m.csrss, r.notepad))
breaks("S02")
