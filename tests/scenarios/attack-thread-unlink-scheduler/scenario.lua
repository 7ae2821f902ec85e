-- SPDX-License-Identifier: Apache-2.0
-- A thread is unlinked from the scheduler's list; the executive's still has it, and it has not terminated.
local m = desktop()
unlink_thread(m.explorer.threads[3], "scheduler")
breaks("T02")
