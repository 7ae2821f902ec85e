-- SPDX-License-Identifier: Apache-2.0
-- The process is said to have no window: what win32k has of it is in use.
local m = desktop()
set(m.notepad, "_EPROCESS.Win32Process", 0)
for _, t in ipairs(m.notepad.threads) do
	set(t, "_KTHREAD.Win32Thread", 0)
end
breaks("S05")
