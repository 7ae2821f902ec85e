-- SPDX-License-Identifier: Apache-2.0
-- Liars who imitate a process whose root was given back, in every field, still have threads that wait: one uses the root of another
-- process, one a page that is no root.
local m = desktop()
run(0, m.explorer.threads[1])
local function pretend(process, root)
	for _, t in ipairs(process.threads) do
		wait(t)
		unlink_thread(t, "executive")
		unlink_thread(t, "scheduler")
	end
	unlink(process, "active")
	unlink(process, "mm")
	unlink(process, "session")
	unlink(process, "scheduler")
	unlink(process, "handles")
	set(process, "_EPROCESS.ProcessInserted", 0)
	set(process, "_EPROCESS.ActiveThreads", 0)
	set(process, "_EPROCESS.ExitTime", image_time() - seconds(1))
	set(process.address - 0x30, "_OBJECT_HEADER.PointerCount", 0)
	set(process, "_KPROCESS.DirectoryTableBase", root)
end
local one = process{name = "one.exe", parent = m.explorer, session = 1, threads = 2}
local other = process{name = "other.exe", parent = m.explorer, session = 1, threads = 2}
pretend(one, m.cmd.dtb)
breaks("L05", "M01")
pretend(other, (page()))
breaks("L05", "M02")
