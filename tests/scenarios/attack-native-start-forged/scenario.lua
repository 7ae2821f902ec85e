-- SPDX-License-Identifier: Apache-2.0
-- One that would pass for the start of all threads: StartAddress is forged and Win32StartAddress is not.
local m = desktop()
local code = alloc(m.notepad, {size = 0x1000, protect = "rx", bytes = "\xc3"})
thread(m.notepad, {native_start = code, start = code})
set(m.notepad.threads[#m.notepad.threads], "_ETHREAD.StartAddress", get(m.explorer.threads[1], "_ETHREAD.StartAddress"))
