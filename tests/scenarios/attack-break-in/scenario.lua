-- SPDX-License-Identifier: Apache-2.0
-- The thread by which a debugger breaks in is abused: the function that it starts in was patched to jump into injected code.
local m = desktop()
local loader = process{name = "loader.exe", parent = m.explorer, session = 1, threads = 2}
open(loader, m.notepad)
debug(loader, m.notepad)
local code = alloc(m.notepad, {size = 0x1000, protect = "rwx", bytes = "\x48\x83\xec\x28\xeb\xfe"})
local start = module(m.notepad, "ntdll.dll", "DbgUiRemoteBreakin")
write_memory(m.notepad, start, "\x48\xb8" .. string.pack("<I8", code) .. "\xff\xe0")
thread(m.notepad, {start = start, rip = code + 4})
