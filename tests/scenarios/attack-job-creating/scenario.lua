-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates creation to leave its job keeps its threads.
local m = desktop()
local shared = job{m.explorer, m.notepad}
if shared then
	unlink(m.notepad, "job")
	set(shared, "_EJOB.ActiveProcesses", 1)
	set(m.notepad, "_EPROCESS.ProcessInserted", 0)
	breaks("S10")
end
