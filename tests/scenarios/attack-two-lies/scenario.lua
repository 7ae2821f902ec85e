-- SPDX-License-Identifier: Apache-2.0
-- Two lies of different kinds on one process: off a list or out of the identifiers, and one forged field. Each pair has a process of
-- its own, and each lie of the pair must be reported of that process.
local m = desktop()
run(0, m.explorer.threads[1])
local off = {
	active = function(p) unlink(p, "active") end,
	mm = function(p) unlink(p, "mm") end,
	scheduler = function(p) unlink(p, "scheduler") end,
	session = function(p) unlink(p, "session") end,
	handles = function(p) unlink(p, "handles") end,
	cid = erase_cid,
}
local broken_by_list = {active = "L15", mm = "L03", scheduler = "L07", session = "L04", handles = "L11", cid = "L02"}
local forge = {
	flags = function(p) set(p, "_EPROCESS.ProcessInserted", 0) end,
	["exit-time"] = function(p) set(p, "_EPROCESS.ExitTime", image_time() - seconds(5)) end,
	signal = function(p) set(p, "_DISPATCHER_HEADER.SignalState", 1) end,
	pid = function(p) set(p, "_EPROCESS.UniqueProcessId", p.pid + 1) end,
	type = function(p) forge_type(p, 5) end,
	root = function(p) set(p, "_KPROCESS.DirectoryTableBase", (page())) end,
	tag = wipe_tag,
}
local broken_by_field = {flags = "L17", ["exit-time"] = "X01", signal = "X03", pid = "L16", type = "L12", root = "L05", tag = "L14"}
-- From 1903 on a block may lack its header; and who is not listed is not asked for it.
if build() >= 18362 then
	broken_by_field.tag = nil
end
for _, list in ipairs{"active", "mm", "scheduler", "session", "handles", "cid"} do
	for _, field in ipairs{"flags", "exit-time", "signal", "pid", "type", "root", "tag"} do
		local p = process{name = list .. "-" .. field, parent = m.explorer, session = 1, threads = 2}
		off[list](p)
		forge[field](p)
		local expected = {}
		expected[#expected + 1] = broken_by_list[list]
		if list ~= "active" or field ~= "tag" then
			expected[#expected + 1] = broken_by_field[field]
		end
		if #expected > 0 then
			breaks(table.unpack(expected))
		end
	end
end
