-- SPDX-License-Identifier: Apache-2.0
-- Every book of the executive, the object manager and the subsystems is cleaned of the process: lists, tables, handles, names, tags
-- and headers, what win32k and dxgkrnl have of it, and what shows that its threads exist. Its root remains, for it must run.
local m = desktop()
run(0, m.explorer.threads[1])
run(1, nil)
local p = m.notepad
for _, list in ipairs{"active", "scheduler", "session", "handles", "mm"} do
	pcall(unlink, p, list)
end
for _, thread in ipairs(p.threads) do
	erase_cid(thread)
	wipe_tag(thread)
	wipe_header(thread)
	session_poke(p, threadinfo(thread), 0)
	set_desktop(thread, nil)
	set(thread, "_KTHREAD.Win32Thread", 0)
	write(thread.address, string.rep("\0", 0x20))
end
erase_cid(p)
wipe_tag(p)
wipe_header(p)
wipe_name(p)
session_poke(p, w32process(p), 0)
session_poke(p, w32process(p) - 0x10, 0)
if dxgprocess(p) then
	write(dxgprocess(p) - 0x10, string.rep("\0", 0x60))
end
set(p, "_EPROCESS.Win32Process", 0)
if has("_EPROCESS.DxgProcess") then
	set(p, "_EPROCESS.DxgProcess", 0)
end
set(p, "_EPROCESS.ProcessInserted", 0)
breaks("L06")
