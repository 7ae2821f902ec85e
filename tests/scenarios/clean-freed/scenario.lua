-- SPDX-License-Identifier: Apache-2.0
-- What deleted processes left in pool: the tag, the object, the old content of their page table roots; one was used again in part.
local m = desktop()
freed{name = "setup.exe", parent = m.explorer, session = 1, gui = true}
freed{name = "msiexec.exe", parent = m.explorer, session = 1, exit_status = 1}
local torn = freed{name = "torn.exe", parent = m.cmd, session = 1, overwritten = true}
freed{name = "cmd.exe", pid = m.cmd.pid + 0x1000}
run(0, m.notepad.threads[1])
clean()
