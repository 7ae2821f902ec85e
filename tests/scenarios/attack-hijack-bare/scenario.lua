-- SPDX-License-Identifier: Apache-2.0
-- The same, and no range covers the code.
local m = desktop()
local code = 0x7ff000000
map(m.notepad, {address = code, kind = "private"})
local thread = m.notepad.threads[2]
suspend(thread)
context(thread, {rip = code})
breaks("T12")
