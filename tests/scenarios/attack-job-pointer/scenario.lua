-- SPDX-License-Identifier: Apache-2.0
-- The job shows a process that denies it.
local m = desktop()
if job{m.explorer, m.notepad} then
	set(m.notepad, "_EPROCESS.Job", 0)
	breaks("S10")
end
