-- SPDX-License-Identifier: Apache-2.0
-- NtAssignProcessToJobObject has set the pointer and not yet entered the list.
local m = desktop()
local shared = job{m.explorer}
if shared then
	set(m.notepad, "_EPROCESS.Job", shared)
end
clean()
