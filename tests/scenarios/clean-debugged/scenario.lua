-- SPDX-License-Identifier: Apache-2.0
-- A debugger is attached to one program and has broken in: a thread of its making runs ntdll's DbgUiRemoteBreakin, breakpoints stand in
-- the program's code and in ntdll's, and all threads are suspended. Another program was started by it and has not run yet.
local m = desktop()
local debugger = process{name = "windbg.exe", parent = m.explorer, session = 1, threads = 4}
open(debugger, m.notepad)
local handle, object = debug(debugger, m.notepad)
assert(get(m.notepad, "_EPROCESS.DebugPort") == object)
for _, t in ipairs(m.notepad.threads) do open(debugger, t) end
local breakpoint = module(m.notepad, "ntdll.dll", "DbgBreakPoint")
local start = module(m.notepad, "ntdll.dll", "DbgUiRemoteBreakin")
open(debugger, thread(m.notepad, {start = start, rip = breakpoint + 1}))
write_memory(m.notepad, module(m.notepad, "notepad.exe") + 0x1000, "\xcc")
write_memory(m.notepad, module(m.notepad, "ntdll.dll", "NtCreateFile"), "\xcc")
for _, t in ipairs(m.notepad.threads) do suspend(t) end

local held = process{name = "held.exe", parent = debugger, session = 1}
open(debugger, held)
debug(debugger, held)
context(held.threads[1], {rip = get(held.threads[1], "_ETHREAD.StartAddress")})
suspend(held.threads[1])
pass(60)
