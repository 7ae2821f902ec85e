-- SPDX-License-Identifier: Apache-2.0
-- Ranges of a process are being changed: nothing is left without one.
local m = desktop()
alloc(m.notepad, {size = 0x4000})
lock_ranges(m.notepad)
clean()
