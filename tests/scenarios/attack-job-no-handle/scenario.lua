-- SPDX-License-Identifier: Apache-2.0
-- A job off every list that passes for one in creation, but still has a process on its list.
local m = desktop()
local hidden = job{m.notepad}
if hidden then
	local links = symbol("PspJobList")
	write(links, string.pack("<I8I8", links, links))
	set(m.notepad, "_EPROCESS.Job", 0)
	breaks("S10")
end
