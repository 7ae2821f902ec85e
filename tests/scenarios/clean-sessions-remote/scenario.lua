-- SPDX-License-Identifier: Apache-2.0
-- The services' session, that of the console, two that are connected from elsewhere and one that is not connected, each with its own csrss:
-- the processes of the last go on.
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
local r = enter(2)
enter(3)
enter(4)
session(3, {state = "connected"})
session(4, {state = "disconnected-logged-on"})
-- Services start programs for users: from another session, and noted so.
process{name = "taskhost.exe", parent = services, session = 2, threads = 2, user = "user"}
clean()
