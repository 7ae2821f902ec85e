-- SPDX-License-Identifier: Apache-2.0
-- Two processes in one job, one in another, and one that has left it: an exited process stays on the list and counts no more.
local m = desktop()
local old = process{name = "old.exe", parent = m.explorer, session = 1, state = "zombie"}
if job{m.explorer, m.notepad} then
	local shared = job{m.cmd, old}
	set(old, "_EPROCESS.JobNotReallyActive", 1)
	set(shared, "_EJOB.ActiveProcesses", 1)
end
clean()
