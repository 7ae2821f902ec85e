-- SPDX-License-Identifier: Apache-2.0
-- The job is off PspJobList.
local m = desktop()
local hidden = job{m.notepad}
job{m.explorer}
if hidden then
	local entry = get(hidden, "_EJOB.JobLinks")
	local links = symbol("PspJobList")
	-- The list is the head, this job and the one behind it.
	write(links, string.pack("<I8", entry))
	write(entry + 8, string.pack("<I8", links))
	breaks("S10")
end
