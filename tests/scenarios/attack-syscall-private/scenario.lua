-- SPDX-License-Identifier: Apache-2.0
-- A thread waits in a system call that private memory made: no stub of ntdll was called.
local m = desktop()
local code = alloc(m.notepad, {size = 0x1000, protect = "rx", bytes = "\x4c\x8b\xd1\xb8\x34\x00\x00\x00\x0f\x05\xc3"})
context(m.notepad.threads[2], {rip = code + 10})
