-- SPDX-License-Identifier: Apache-2.0
-- A thread that is being created is on the executive's list first.
local m = desktop()
local thread = m.explorer.threads[3]
unlink_thread(thread, "scheduler")
set(thread, "_ETHREAD.ThreadInserted", 0)
excused("T02")
clean()
