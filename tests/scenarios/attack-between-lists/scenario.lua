-- SPDX-License-Identifier: Apache-2.0
-- Liars who imitate these two states keep their threads.
local m = desktop()
run(0, m.explorer.threads[1])
local function pretend(process)
	unlink(process, "active")
	unlink(process, "session")
	set(process, "_EPROCESS.ProcessInserted", 0)
	set(process, "_EPROCESS.ActiveThreads", 0)
end
pretend(m.notepad)
breaks("L17")
pretend(m.cmd)
erase_cid(m.cmd)
breaks("L17")
