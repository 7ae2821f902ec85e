-- SPDX-License-Identifier: Apache-2.0
-- A thread of the kernel's that no module holds the code of, not in System but in a process of user mode.
local m = desktop()
local thread = thread(m.csrss, {teb = false})
local physical, code = page()
set(thread, has("_ETHREAD.SystemThread") and "_ETHREAD.SystemThread" or "_KTHREAD.SystemThread", 1)
set(thread, "_ETHREAD.StartAddress", code)
set(thread, "_KTHREAD.TrapFrame", 0)
breaks("T10")
