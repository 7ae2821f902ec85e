-- SPDX-License-Identifier: Apache-2.0
-- Handles to objects of many types, with all rights that each has and with few; one of the kernel's own, and one that may be audited.
local m = desktop()
for _, kind in ipairs{"Event", "Mutant", "Key", "DebugObject"} do
	open(m.explorer, object(kind))
	open(m.system, object(kind))
end
open(m.explorer, object("Event"), 0x1100002)
open(m.explorer, token())
open(m.explorer, m.notepad.threads[1], 0x1800)
clean()
