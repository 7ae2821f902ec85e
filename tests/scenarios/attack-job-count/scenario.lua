-- SPDX-License-Identifier: Apache-2.0
-- The job counts a process that its list does not show: unlinked, and the pointer cleared.
local m = desktop()
if job{m.explorer, m.notepad} then
	unlink(m.notepad, "job")
	set(m.notepad, "_EPROCESS.Job", 0)
	breaks("S10")
end
