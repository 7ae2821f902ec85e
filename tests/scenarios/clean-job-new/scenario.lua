-- SPDX-License-Identifier: Apache-2.0
-- A job that is being created: not yet on PspJobList, without a handle and without processes.
desktop()
local new = job{}
if new then
	local links = symbol("PspJobList")
	write(links, string.pack("<I8I8", links, links))
end
clean()
