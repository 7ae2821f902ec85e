-- SPDX-License-Identifier: Apache-2.0
-- The stack pointer leads into a heap.
local m = desktop()
local heap = alloc(m.notepad, {size = 0x10000})
context(m.notepad.threads[2], {rsp = heap + 0x8000})
