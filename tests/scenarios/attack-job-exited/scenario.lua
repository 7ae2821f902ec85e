-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates a process that has left its job by an exit time keeps its threads.
local m = desktop()
local shared = job{m.explorer, m.notepad}
if shared then
	unlink(m.notepad, "job")
	set(shared, "_EJOB.ActiveProcesses", 1)
	set(m.notepad, "_EPROCESS.ExitTime", image_time() - seconds(5))
	breaks("S10", "X01")
end
