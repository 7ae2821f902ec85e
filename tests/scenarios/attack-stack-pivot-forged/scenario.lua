-- SPDX-License-Identifier: Apache-2.0
-- The same, and the TEB says that the stack is there: but no stack is a part of a range.
local m = desktop()
local heap = alloc(m.notepad, {size = 0x20000})
local teb = m.notepad.threads[2].teb
context(m.notepad.threads[2], {rsp = heap + 0x8000})
write_memory(m.notepad, at(teb, "_TEB.NtTib.StackBase"), string.pack("<I8", heap + 0x10000))
write_memory(m.notepad, at(teb, "_TEB.NtTib.StackLimit"), string.pack("<I8", heap + 0x4000))
write_memory(m.notepad, at(teb, "_TEB.DeallocationStack"), string.pack("<I8", heap))
