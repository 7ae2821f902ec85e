-- SPDX-License-Identifier: Apache-2.0
-- A process that has exited is off the list of its job before the pointer is cleared.
local m = desktop()
local old = process{name = "old.exe", parent = m.explorer, session = 1, state = "zombie"}
local shared = job{m.explorer, old}
if shared then
	unlink(old, "job")
	set(shared, "_EJOB.ActiveProcesses", 1)
	excused("S10")
end
clean()
