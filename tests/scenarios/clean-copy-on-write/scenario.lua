-- SPDX-License-Identifier: Apache-2.0
-- Data of images that were written to are private copies.
local m = desktop()
for _, name in ipairs{"ntdll.dll", "kernel32.dll"} do
	local base = module(m.notepad, name)
	local _, start, last = vad(m.notepad, base)
	for page = start, last - 0x1000, 0x1000 do
		local ok = pcall(read_memory, m.notepad, page, 8)
	end
end
clean()
