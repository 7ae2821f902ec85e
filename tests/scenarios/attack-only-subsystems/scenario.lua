-- SPDX-License-Identifier: Apache-2.0
-- Nothing of the process runs, and it is in no list, table or handle of the kernel; tags, headers and names are wiped, its objects
-- have not the shape of any, its root maps itself no more and belongs to nobody. What win32k and dxgkrnl keep still leads to it.
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
	set_desktop(thread, nil)
	write(thread.address, string.rep("\0", 0x20)) -- no dispatcher object
	set(thread, "_KTHREAD.Process", 0)
	set(thread, "_KTHREAD.ApcState.Process", 0)
	set(thread, "_KTHREAD.Win32Thread", 0)
end
erase_cid(p)
wipe_tag(p)
wipe_header(p)
wipe_name(p)
write(p.address, string.rep("\0", 0x18))
local root = p.dtb
if has("_MMPFN.u1") and pfn(p) then
	set_owner(p, 0)
	set(pfn(root), "_MMPFN.u4.PteFrame", 0)
end
write_physical(root, string.rep("\0", 0x1000))
set(p, "_EPROCESS.ActiveThreads", #p.threads)
breaks("L15")
