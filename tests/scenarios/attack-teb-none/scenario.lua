-- SPDX-License-Identifier: Apache-2.0
-- A thread of user mode without a TEB: no thread that Windows made.
local m = desktop()
thread(m.notepad, {teb = false})
set(m.notepad.threads[#m.notepad.threads], "_KTHREAD.Teb", 0)
breaks("T11")
