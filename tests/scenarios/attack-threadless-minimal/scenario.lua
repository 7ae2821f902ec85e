-- SPDX-License-Identifier: Apache-2.0
-- The same, and it passes for a minimal process.
local m = desktop()
-- Off both lists of threads and off PspCidTable, and the process off the list of those that have threads.
local function hide_threads(process)
	for _, thread in ipairs(process.threads) do
		unlink_thread(thread, "executive")
		unlink_thread(thread, "scheduler")
		erase_cid(thread)
	end
	unlink(process, "scheduler")
	set(process, "_EPROCESS.ActiveThreads", 0)
end
hide_threads(m.notepad)
set(m.notepad, "_EPROCESS.Minimal", 1)
set(m.notepad, "_DISPATCHER_HEADER.Minimal", 1)
breaks("X05")
