-- SPDX-License-Identifier: Apache-2.0
-- Memory that nothing maps holds every mark that the pass looks for: content of a file, or what somebody else left there.
desktop()
local page = 0xffff000 -- of 256 MiB the last one
local tags = ""
for _, tag in ipairs{"Proc", "Thre", "Toke", "Job ", "Pro\xe3", "Tok\xe5", "Job\xa0"} do
	tags = tags .. string.pack("<I4c4I8", 0x02100000, tag, 0)
end
write_physical(page, "MZ" .. string.rep("\0", 0x3a) .. string.pack("<I4", 0x80) .. string.rep("\0", 0x40) ..
	string.pack("<c4I2I2", "PE", 0x8664, 0) .. string.rep("\0", 16) .. string.pack("<I2", 0x20b) .. string.rep("\0", 54) ..
	string.pack("<I4I4I4I2", 0xa00000, 0, 0, 1))
write_physical(page + 0x200, tags)
write_physical(page + 0x400, string.pack("<I8I8c4I4I8", 0, 0, "KDBG", 0x360, 0xfffff80000000000))
clean()
