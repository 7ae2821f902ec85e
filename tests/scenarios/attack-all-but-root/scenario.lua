-- SPDX-License-Identifier: Apache-2.0
-- A process is taken off every list and out of every table, its name and headers are wiped: its root remains.
local m = desktop()
run(0, m.explorer.threads[1])
run(1, nil)
local p = m.notepad
for _, list in ipairs{"active", "scheduler", "session", "handles"} do
	unlink(p, list)
end
if has("_EPROCESS.MmProcessLinks") then pcall(unlink, p, "mm") end
for _, thread in ipairs(p.threads) do
	erase_cid(thread)
	write(thread.address - 0x60, string.rep("\0", 0x60)) -- pool header, quota and object header
end
erase_cid(p)
write(p.address - 0x60, string.rep("\0", 0x60))
set(p, "_EPROCESS.ImageFileName", string.rep("\0", 15))
set(p, "_EPROCESS.ProcessInserted", 0)
breaks("L06")
