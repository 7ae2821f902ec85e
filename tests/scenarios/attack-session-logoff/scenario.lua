-- SPDX-License-Identifier: Apache-2.0
-- Among those that end when somebody logs off, one goes on, and csrss's record of it is gone as if it had ended.
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
local p = process{name = "app.exe", parent = r.winlogon, session = 2, threads = 2, user = "user"}
csr_forget(p)
set(p, "_EPROCESS.ExceptionPortData", get(p, "_EPROCESS.ExceptionPortData")) -- as it was: the lie is about this process
breaks("S01")
