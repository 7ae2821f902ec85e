-- SPDX-License-Identifier: Apache-2.0
-- A driver registered whatever there is and took all of it back: its blocks are free and keep their bytes, and the memory of one
-- serves something else. Another has routines in a slot and on a list that hold neither processes nor anything else that is listed.
desktop()
local kinds = {"process_ex", "thread", "thread_other", "image", "registry", "object", "shutdown", "file_system", "debug_print",
	"profile", "device_class", "target_device", "other_slot"}
driver("passing.sys", {"KeInitializeEvent"})
driver("storage.sys", {"IoRegisterPlugPlayNotification"})
for _, kind in ipairs(kinds) do
	register(kind, "passing.sys", {altitude = "389999", types = {"Process", "Thread"}})
end
register("target_device", "storage.sys")
register("other_slot", "storage.sys")
local block = select(5, callback("file_system", 2))
unregister("passing.sys")
if block then
	write(block - 16, "\0\0\x03\x03" .. "FMsl" .. string.rep("\0", 8) .. "taken for somebody else's bytes.")
end
clean()
