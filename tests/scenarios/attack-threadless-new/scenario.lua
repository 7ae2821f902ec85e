-- SPDX-License-Identifier: Apache-2.0
-- The same, and it passes for one that was just created.
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
local new = process{name = "new.exe", parent = m.explorer, session = 1, threads = 2, gui = true,
                    created = image_time() - seconds(3)}
hide_threads(new)
breaks("X05")
