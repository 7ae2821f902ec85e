-- SPDX-License-Identifier: Apache-2.0
-- SuspendThread, SetThreadContext: the thread will run private memory when it is resumed.
local m = desktop()
local code = alloc(m.notepad, {size = 0x1000, protect = "rx", bytes = "\xc3"})
local thread = m.notepad.threads[2]
suspend(thread)
context(thread, {rip = code})
