-- SPDX-License-Identifier: Apache-2.0
-- A thread on its way out has lost its process' win32k state first.
local m = desktop()
set(m.notepad.threads[1], "_ETHREAD.Terminated", 1)
set(m.notepad.threads[1], "_KTHREAD.WaitReason", 0) -- not on behalf of user mode
for i = 2, #m.notepad.threads do
	set_desktop(m.notepad.threads[i], nil)
	set(m.notepad.threads[i], "_KTHREAD.Win32Thread", 0)
end
set(m.notepad, "_EPROCESS.ActiveThreads", #m.notepad.threads - 1)
set(m.notepad, "_EPROCESS.Win32Process", 0)
excused("T17")
clean()
