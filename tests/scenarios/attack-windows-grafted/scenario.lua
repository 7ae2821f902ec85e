-- SPDX-License-Identifier: Apache-2.0
-- A process without windows is given the state of another, with its own address written into it, and threads that lead there.
local m = desktop()
local copy = copy_w32process(m.notepad)
session_poke(m.notepad, copy, m.cmd.address, m.cmd)
if build() <= 17134 then
	session_poke(m.notepad, copy + 0x38, m.cmd.pid, m.cmd)
end
set(m.cmd, "_EPROCESS.Win32Process", copy)
set(m.cmd.threads[1], "_KTHREAD.Win32Thread", threadinfo(m.notepad.threads[1]))
set(m.cmd.threads[1], "_KTHREAD.GuiThread", 1)
breaks("S06")
