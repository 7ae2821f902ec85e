-- SPDX-License-Identifier: Apache-2.0
-- Off every two lists at once: each pair on a process of its own, whose threads are scheduled.
local m = desktop()
local lists = {"active", "mm", "scheduler", "session", "handles", "cid"}
local function hide(process, list)
	if list == "cid" then
		erase_cid(process)
	else
		unlink(process, list)
	end
end
-- These two alone leave nothing out of order in the life of a process: its handles and threads are others' business.
local harmless = {scheduler = true, handles = true}
for i = 1, #lists do
	for j = i + 1, #lists do
		local p = process{name = lists[i] .. "-" .. lists[j], parent = m.explorer, session = 1, threads = 2}
		hide(p, lists[i])
		hide(p, lists[j])
		if not (harmless[lists[i]] and harmless[lists[j]]) then
			breaks("L17")
		end
	end
end
