-- SPDX-License-Identifier: Apache-2.0
-- Two sessions with their csrss, and everybody of whom csrss rightly knows nothing: the session manager, a native program, one without
-- a thread yet, a snapshot, one that has exited, threads that nobody told it of.
local system = find(4)
local smss = process{name = "smss.exe", parent = system, threads = 2}
process{name = "autochk.exe", parent = smss}
local csrss = process{name = "csrss.exe", parent = 504, session = 0, threads = 5, csrss = true}
local services = process{name = "services.exe", parent = 504, session = 0, threads = 3}
for i = 1, 4 do
	process{name = "svchost.exe", parent = services, session = 0, threads = 1 + i}
end
process{name = "autochk.exe", parent = smss, session = 0, registered = false}
local m = desktop()
if has("_EPROCESS.Minimal") then
	process{name = "Registry", parent = system, session = 0, minimal = true, threads = 2, role = "registry"}
	excused("S01")
end
thread(m.explorer)
thread(m.explorer)
process{name = "new.exe", parent = m.explorer, session = 1, threads = 0}
process{name = "old.exe", parent = m.explorer, session = 1, clone_of = m.notepad}
local setup = process{name = "setup.exe", parent = m.explorer, session = 1, threads = 2}
open(m.explorer, setup)
exit(setup)
process{name = "zombie.exe", parent = m.explorer, session = 1, state = "zombie"}
local late = process{name = "late.exe", parent = m.explorer, session = 1, threads = 0}
thread(late)
assert(csr_record(late) and api_port(late) ~= api_port(services))
-- csrss took the one off its lists, and has not closed its handle yet; of the other it does not know yet.
csr_unlink(m.explorer.threads[4])
end_thread(m.explorer.threads[4])
end_thread(m.explorer.threads[5])
clean()
