-- SPDX-License-Identifier: Apache-2.0
-- A thread that terminates runs its last call-outs: what was its THREADINFO is used again, and nobody cleared what leads there yet.
local m = desktop()
local t = m.notepad.threads[2]
run(0, t)
set(t, "_ETHREAD.Terminated", 1)
set(m.notepad, "_EPROCESS.ActiveThreads", #m.notepad.threads - 1)
set_desktop(t, nil)
session_poke(m.notepad, threadinfo(t) + w32_offset("ppi"), 0, t)
excused("S06")
clean()
