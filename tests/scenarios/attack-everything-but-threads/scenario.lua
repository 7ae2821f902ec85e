-- SPDX-License-Identifier: Apache-2.0
-- Off every list and out of every table, pool tags, object header and name wiped, its root without an owner: only its threads
-- are still in memory, and what they need to run.
local m = desktop()
run(0, m.explorer.threads[1])
local p = m.notepad
for _, list in ipairs{"active", "scheduler", "session", "handles", "mm"} do
	pcall(unlink, p, list)
end
for _, thread in ipairs(p.threads) do
	erase_cid(thread)
	wipe_tag(thread)
	wipe_header(thread)
end
erase_cid(p)
wipe_tag(p)
wipe_header(p)
wipe_name(p)
breaks("L15")
