-- SPDX-License-Identifier: Apache-2.0
-- A program under a debugger whose port was cleared, so that no one asks who debugs it. What the process was told stays.
local m = desktop()
local debugger = process{name = "dbg.exe", parent = m.explorer, session = 1, threads = 2}
debug(debugger, m.notepad)
set(m.notepad, "_EPROCESS.DebugPort", 0)
