-- SPDX-License-Identifier: Apache-2.0
-- A GUI thread in a process that has no GUI.
local m = desktop()
set(m.cmd.threads[1], "_KTHREAD.Win32Thread", get(m.notepad.threads[1], "_KTHREAD.Win32Thread"))
breaks("T17")
