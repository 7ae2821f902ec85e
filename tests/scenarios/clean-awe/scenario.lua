-- SPDX-License-Identifier: Apache-2.0
-- A database has physical pages of its own and maps them into a window (AWE): they are locked, and in no working set. Whatever their PFN
-- entries name: nothing, the PTE, or one that leads there no more; and where one is mapped a second time.
local m = desktop()
for _, entries in ipairs{"none", "own", "stale"} do
	local p = process{name = "sqlservr.exe", parent = m.explorer, session = 1, threads = 4}
	local window = alloc(p, {kind = "awe", size = 0x200000, entries = entries ~= "none" and entries or nil})
	write_memory(p, window, "rows")
	set_pte(p, window + 0x1000, {to = p, at = window})
end
clean()
