-- SPDX-License-Identifier: Apache-2.0
-- A thread off both lists of its process still waits on the list of its CPU.
local m = desktop()
local thread = m.explorer.threads[3]
wait(thread)
unlink_thread(thread, "executive")
unlink_thread(thread, "scheduler")
breaks("T08", "T01")
