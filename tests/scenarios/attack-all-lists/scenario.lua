-- SPDX-License-Identifier: Apache-2.0
-- Off every list there is, its identifiers erased: only a thread that waits still shows the process.
local m = desktop()
local p = process{name = "ghost.exe", parent = m.explorer, session = 1, threads = 1}
local t = p.threads[1]
unlink(p)
if has("_MI_SYSTEM_INFORMATION.ProcessList") or symbol("MmProcessList") then
	unlink(p, "mm")
end
unlink(p, "scheduler")
unlink(p, "session")
unlink(p, "handles")
erase_cid(p)
erase_cid(t)
unlink_thread(t, "executive")
unlink_thread(t, "scheduler")
set(p, "_EPROCESS.ProcessInserted", 0)
run(0, m.notepad.threads[1])
breaks("T08", "L17")
