-- SPDX-License-Identifier: Apache-2.0
-- A thread's kernel stack pointer lies outside its stack.
local m = desktop()
set(m.notepad.threads[2], "_KTHREAD.KernelStack", m.explorer.threads[2].stack_limit + 0x1000)
breaks("T09")
