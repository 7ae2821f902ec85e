-- SPDX-License-Identifier: Apache-2.0
-- The last reference of a thread is gone: its entry is destroyed, the list not yet.
local m = desktop()
local thread = m.smss.threads[2]
erase_cid(thread, true)
unlink_thread(thread, "scheduler")
set(thread, "_DISPATCHER_HEADER.SignalState", 1)
set(thread, "_KTHREAD.State", 4)
set(thread, "_ETHREAD.Terminated", 1)
set(thread, "_ETHREAD.ExitStatus", 0)
set(m.smss, "_EPROCESS.ActiveThreads", 1)
set(thread.address - 0x30, "_OBJECT_HEADER.PointerCount", 0)
excused("T05")
clean()
