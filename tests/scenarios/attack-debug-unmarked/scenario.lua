-- SPDX-License-Identifier: Apache-2.0
-- A debugger that hides from the program that it debugs, which asks its PEB.
local m = desktop()
local debugger = process{name = "dbg.exe", parent = m.explorer, session = 1, threads = 2}
debug(debugger, m.notepad)
peb(m.notepad, {being_debugged = false})
