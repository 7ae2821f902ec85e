-- SPDX-License-Identifier: Apache-2.0
-- The kernel calls injected code at each return to user mode.
local m = desktop()
local at = alloc(m.notepad, {protect = "rx", bytes = "\xff\xe1"})
set(m.notepad, "_KPROCESS.InstrumentationCallback", at)
breaks("T16")
