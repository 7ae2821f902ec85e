-- SPDX-License-Identifier: Apache-2.0
-- A process is moved to another session in all that the kernel keeps of it: pointer, list, token. csrss and win32k of the first know
-- better.
local m = desktop()
process{name = "csrss.exe", parent = 504, session = 2, threads = 5, gui = true, user = "system", csrss = true}
local other = process{name = "explorer.exe", parent = 64000, session = 2, threads = 3, gui = true}
process{name = "notepad.exe", parent = other, session = 2, threads = 3, gui = true}
local p = m.notepad
if has("_EPROCESS.SessionProcessLinks") then
	local entry, after = at(p, "_EPROCESS.SessionProcessLinks"), at(other, "_EPROCESS.SessionProcessLinks")
	local before = peek(after)
	unlink(p, "session")
	write(entry, string.pack("<I8I8", before, after))
	write(after, string.pack("<I8", entry))
	write(before + 8, string.pack("<I8", entry))
end
set(p, "_EPROCESS.Session", get(other, "_EPROCESS.Session"))
set(get(p, "_EPROCESS.Token") & ~0xf, "_TOKEN.SessionId", 2)
breaks("S08")
