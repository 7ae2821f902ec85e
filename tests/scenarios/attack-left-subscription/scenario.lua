-- SPDX-License-Identifier: Apache-2.0
-- A process is off every list and out of every table; its context of WNF still names it.
machine{kernel = "22000"}
local m = desktop()
run(0, m.explorer.threads[1])
run(1, nil)
local p = m.notepad
subscribe(p)

for _, list in ipairs{"active", "scheduler", "session", "handles"} do
	unlink(p, list)
end
if has("_EPROCESS.MmProcessLinks") then pcall(unlink, p, "mm") end
for _, thread in ipairs(p.threads) do
	erase_cid(thread)
end
erase_cid(p)
breaks("L15")
