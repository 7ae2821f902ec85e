-- SPDX-License-Identifier: Apache-2.0
-- A process in creation points at its job before it is linked.
local m = desktop()
local new = process{name = "new.exe", parent = m.explorer, session = 1, state = "c1"}
local shared = job{m.explorer, new}
if shared then
	unlink(new, "job")
	set(shared, "_EJOB.ActiveProcesses", 1)
	excused("S10")
end
clean()
