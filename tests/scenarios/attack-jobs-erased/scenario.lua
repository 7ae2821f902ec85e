-- SPDX-License-Identifier: Apache-2.0
-- Three jobs are off PspJobList, their processes no longer name them, and their pool tags are wiped: only the counter is left.
local m = desktop()
local links = symbol("PspJobList")
for _, process in ipairs{m.notepad, m.explorer, m.cmd} do
	local hidden = job{process}
	if hidden then
		set(process, "_EPROCESS.Job", 0)
		write(hidden - 0x60, string.rep("\0", 16))
	end
end
if links then
	write(links, string.pack("<I8I8", links, links))
	breaks("L13")
end
