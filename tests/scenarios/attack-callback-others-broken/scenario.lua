-- SPDX-License-Identifier: Apache-2.0
-- Lists that do not end: one goes round without its head, of another a link leads nowhere, of a third the head is wiped.
desktop()
for _, kind in ipairs({"bug_check_reason", "file_system", "last_shutdown"}) do
	register(kind, "edrsense.sys")
	register(kind, "fltguard.sys")
end
local first, last = callback("bug_check_reason", 1), callback("bug_check_reason", 3)
write(last, string.pack("<I8", first))
write(callback("file_system", 2), string.pack("<I8", 0xffff900012345678))
write(symbol("IopNotifyLastChanceShutdownQueueHead"), string.rep("\0", 16))
clean() -- no invariant is about these lists: check reports nothing
