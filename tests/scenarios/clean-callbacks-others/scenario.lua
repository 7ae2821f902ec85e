-- SPDX-License-Identifier: Apache-2.0
-- Drivers are told of bug checks, shut-down, file systems, debug prints and devices, one of them of all; one takes it back.
desktop()
local kinds = {"bug_check", "bug_check_reason", "bug_check_pages", "shutdown", "last_shutdown", "file_system", "debug_print",
	"profile", "device_class", "soft_restart"}
driver("storage.sys", {"IoRegisterShutdownNotification"})
driver("passing.sys", {"KeRegisterBugCheckCallback"})
for _, kind in ipairs(kinds) do
	register(kind, "storage.sys")
	register(kind, "passing.sys")
	register(kind, "edrsense.sys")
end
for i = 1, 15 do
	register("device_class", "storage.sys")
end
unregister("passing.sys")
unload_driver("passing.sys")
clean()
