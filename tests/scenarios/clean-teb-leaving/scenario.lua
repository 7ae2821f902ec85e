-- SPDX-License-Identifier: Apache-2.0
-- Threads whose TEB is gone, or not yet made.
local m = desktop()
local leaving = m.notepad.threads[2]
set(leaving, "_ETHREAD.Terminated", 1)
set(leaving, "_KTHREAD.Teb", 0)
set(leaving, "_KTHREAD.WaitMode", 0)
local coming = m.explorer.threads[3]
unlink_thread(coming, "scheduler")
set(coming, "_ETHREAD.ThreadInserted", 0)
set(coming, "_KTHREAD.Teb", 0)
excused("T11")
clean()
