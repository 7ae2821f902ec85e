-- SPDX-License-Identifier: Apache-2.0
-- A library is patched while it is in use: the patch's image is mapped beside it in every process that uses it, and the patched function
-- begins with a jump there. Whether the loader enters such an image is not verified; in one process it did not.
local m = desktop()
for _, p in ipairs{m.explorer, m.notepad, m.cmd} do
	local patch = load(p, "ntdll_hotpatch.dll", {link = p.pid ~= m.cmd.pid})
	local from = module(p, "ntdll.dll", "NtCreateFile")
	write_memory(p, from, "\xff\x25\0\0\0\0" .. string.pack("<I8", patch + 0x1000))
end
