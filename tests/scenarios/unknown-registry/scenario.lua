-- SPDX-License-Identifier: Apache-2.0
-- Keys whose way up leads back to itself, is cut or has parts of impossible lengths, and hives whose cells lead out of them, back to
-- themselves or to what they are not: no name is believed, none of it is followed for ever, and no handle is left out.
local m = desktop()
local function opened(path)
	local object = key(path)
	open(m.explorer, object, 0x20019)
	return object, key_block(path)
end
local root = "\\REGISTRY\\MACHINE\\SOFTWARE\\"
opened(root .. "Honest")
local _, child = opened(root .. "Circle\\A\\B\\C")
set(key_block(root .. "Circle\\A"), "_CM_KEY_CONTROL_BLOCK.ParentKcb", child)
local _, own = opened(root .. "Itself")
set(own, "_CM_KEY_CONTROL_BLOCK.ParentKcb", own)
local _, long = opened(root .. "Long")
set(get(long, "_CM_KEY_CONTROL_BLOCK.NameBlock"), "_CM_NAME_CONTROL_BLOCK.NameLength", 0xffff)
local _, empty = opened(root .. "Empty\\Below")
set(get(key_block(root .. "Empty"), "_CM_KEY_CONTROL_BLOCK.NameBlock"), "_CM_NAME_CONTROL_BLOCK.NameLength", 0)
local _, cut = opened(root .. "Cut\\Tail")
set(key_block(root .. "Cut"), "_CM_KEY_CONTROL_BLOCK.NameBlock", 0xfffff00012345670)
local nowhere = opened(root .. "Nowhere")
set(nowhere, "_CM_KEY_BODY.KeyControlBlock", 0xfffff00012345670)
local none = opened(root .. "None")
set(none, "_CM_KEY_BODY.KeyControlBlock", 0)
local other = opened(root .. "Other")
set(other, "_CM_KEY_BODY.Type", 0x41414141)

local user = "S-1-5-21-2711839914-1380451206-3127884101-"
local profiles = {}
for rid = 1001, 1006 do
	profiles[user .. rid] = "C:\\Users\\user" .. rid
end
local software, system = registry(profiles, {"Dnscache", "ZzzListThatLeadsBackToItself"})
if software then
	local function patch(hive, path, field, format, value)
		write_hive(hive, hive_cell(hive, path) + 4 + at(0, field), string.pack(format, value))
	end
	local list = "Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\" .. user
	patch(software, list .. "1002", "_CM_KEY_NODE.ValueList", "<I4", 0x7ffffff0)
	patch(software, list .. "1003", "_CM_KEY_NODE.ValueCount", "<I4", 0xffffffff)
	patch(software, list .. "1004", "_CM_KEY_NODE.NameLength", "<I2", 0xffff)
	patch(software, list .. "1005", "_CM_KEY_NODE.Signature", "<I2", 0x4141)
	patch(software, list .. "1006", "_CM_KEY_NODE.ValueList", "<I4", 0xfffffff8)
	local services = "ControlSet001\\Services"
	local circle = hive_cell(system, services .. "\\ZzzListThatLeadsBackToItself")
	write_hive(system, circle + 4, string.pack("<I2I2I4I4", 0x6972, 0xffff, circle, circle))
	write_hive(system, hive_cell(system, services) + 4 + at(0, "_CM_KEY_NODE.SubKeyLists"), string.pack("<I4", circle))
	-- One more whose map leads nowhere, behind which the list leads back to itself.
	local broken = hive("\\REGISTRY\\MACHINE\\SAM", {["SAM\\Domains"] = {}})
	local storage = at(broken, "_HHIVE.Storage")
	set(storage, "_DUAL.Length", 0xffffffff)
	set(storage, "_DUAL.Map", 0xfffff00012345670)
	set(broken, "_CMHIVE.HiveList", string.pack("<I8", at(software, "_CMHIVE.HiveList")))
end
clean() -- of names no invariant speaks: check has nothing to report
