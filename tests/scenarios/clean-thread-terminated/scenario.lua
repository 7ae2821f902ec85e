-- SPDX-License-Identifier: Apache-2.0
-- A terminated thread that a handle holds is only on the executive's list, and its stack is gone.
local m = desktop()
local thread = m.explorer.threads[3]
unlink_thread(thread, "scheduler")
set(thread, "_ETHREAD.Terminated", 1)
set(thread, "_DISPATCHER_HEADER.SignalState", 1)
set(thread, "_KTHREAD.State", 4)
set(thread, "_KTHREAD.KernelStack", 0)
set(m.explorer, "_EPROCESS.ActiveThreads", #m.explorer.threads - 1)
excused("T09")
clean()
