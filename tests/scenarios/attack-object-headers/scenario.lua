-- SPDX-License-Identifier: Apache-2.0
-- Hidden by all means but its threads, where every object has all optional headers.
machine{all_headers = true}
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
