-- SPDX-License-Identifier: Apache-2.0
-- A thread is unlinked from the executive's list; the scheduler's still has it.
local m = desktop()
unlink_thread(m.explorer.threads[3], "executive")
breaks("T01", "T02")
