-- SPDX-License-Identifier: Apache-2.0
-- Code in pool is to run when the system shuts down and when a file system comes, and a record of bug checks is made false, so that
-- the kernel passes it over. No invariant is about these lists: invar callbacks shows where they lead.
desktop()
for _, kind in ipairs({"shutdown", "file_system", "debug_print"}) do
	register(kind, "edrsense.sys")
	local _, pointer = callback(kind, kind == "debug_print" and 1 or 2)
	local _, code = page()
	write(pointer, string.pack("<I8", code))
end
local record = callback("bug_check", 1)
write(record + 0x30, string.pack("<I8", 0))
clean() -- no invariant is about these lists: check reports nothing
