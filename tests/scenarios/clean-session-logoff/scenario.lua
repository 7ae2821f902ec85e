-- SPDX-License-Identifier: Apache-2.0
-- Somebody logs off: programs have ended one after the other, and services have handles to them; csrss goes last.
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
session(2, {state = "logged-off"})
for _, p in ipairs{r.notepad, r.explorer} do open(services, p) end
exit(r.notepad)
exit(r.explorer)
local last = process{name = "LogonUI.exe", parent = r.winlogon, session = 2, threads = 3, gui = true, user = "system"}
csr_unlink(last.threads[3])
end_thread(last.threads[3])
clean()
