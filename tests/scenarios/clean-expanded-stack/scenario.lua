-- SPDX-License-Identifier: Apache-2.0
-- A running thread's KernelStack is that of its last wait, on another stack.
local m = desktop()
local thread = m.notepad.threads[1]
run(0, thread)
set(thread, "_KTHREAD.KernelStack", m.explorer.threads[2].stack_limit + 0x1000)
excused("T09")
clean()
