-- SPDX-License-Identifier: Apache-2.0
-- A running thread's trap frame is on another stack: that is no expanded stack.
local m = desktop()
local thread = m.notepad.threads[1]
run(0, thread)
set(thread, "_KTHREAD.KernelStack", m.explorer.threads[2].stack_limit + 0x1000)
set(thread, "_KTHREAD.TrapFrame", m.explorer.threads[2].stack_limit + 0x1200)
breaks("T09")
