-- SPDX-License-Identifier: Apache-2.0
-- The same, and the thread passes for one of the kernel's by its flag: but it starts in user mode.
local m = desktop()
local thread = thread(m.notepad, {teb = false})
set(thread, has("_ETHREAD.SystemThread") and "_ETHREAD.SystemThread" or "_KTHREAD.SystemThread", 1)
breaks("T11")
