-- SPDX-License-Identifier: Apache-2.0
-- A process whose threads are all hidden passes for one that has none.
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
breaks("X05")
