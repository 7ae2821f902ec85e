-- SPDX-License-Identifier: Apache-2.0
-- A job is off PspJobList, and its only process no longer names it; its list of processes is empty, but a handle is open.
local m = desktop()
local hidden = job{m.notepad}
if hidden then
	local entry, links = at(hidden, "_EJOB.JobLinks"), symbol("PspJobList")
	write(links, string.pack("<I8I8", links, links))
	write(at(hidden, "_EJOB.ProcessListHead"), string.pack("<I8I8", 0, 0))
	set(m.notepad, "_EPROCESS.Job", 0)
	set(hidden - 0x30, "_OBJECT_HEADER.HandleCount", 1)
	breaks("S10")
end
