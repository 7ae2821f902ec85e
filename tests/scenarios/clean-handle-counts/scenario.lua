-- SPDX-License-Identifier: Apache-2.0
-- Files and desktops count the handles that each process has to them; one of the processes has exited, and one handle was closed.
machine{kernel = "22000"}
local m = desktop()
local old = process{name = "old.exe", parent = m.explorer, session = 1, threads = 1}
local _, shared = open_file(m.explorer, "shared.log")
for _, p in ipairs{m.notepad, m.cmd, old, m.csrss, m.notepad} do
	open(p, shared)
end
open_file(m.notepad, "own.txt")
exit(old)
local again = open(m.cmd, shared)
close(m.cmd, again)
clean()
