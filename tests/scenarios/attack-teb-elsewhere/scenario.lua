-- SPDX-License-Identifier: Apache-2.0
-- KTHREAD.Teb leads to where the process has no memory.
local m = desktop()
set(m.notepad.threads[2], "_KTHREAD.Teb", 0x7fe000000)
breaks("T11")
