-- SPDX-License-Identifier: Apache-2.0
-- The routines of one driver are taken out of their slots and off their lists, and the counts agree: their blocks stay in pool.
desktop()
driver("watcher.sys", {"KeInitializeEvent"})
local kinds = {"image", "registry", "object", "shutdown", "file_system", "debug_print", "profile", "device_class", "target_device",
	"other_slot"}
for _, kind in ipairs(kinds) do
	register(kind, "watcher.sys", {altitude = "389998", types = {"Process"}})
	local n = 1
	while callback(kind, n) and select(4, callback(kind, n)) ~= "watcher.sys" do
		n = n + 1
	end
	if callback(kind, n) then
		silence(kind, n)
	end
end
for _, name in ipairs{"PspLoadImageNotifyRoutineCount", "CmpCallBackCount"} do
	write(symbol(name), string.pack("<I4", peek(symbol(name)) - 1 & 0xffffffff))
end
