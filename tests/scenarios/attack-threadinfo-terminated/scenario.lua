-- SPDX-License-Identifier: Apache-2.0
-- A thread with a forged THREADINFO pretends to terminate, and waits for what it asked for.
local m = desktop()
local t = m.notepad.threads[1]
session_poke(m.notepad, threadinfo(t) + w32_offset("ppi"), w32process(m.explorer), t)
set(t, "_ETHREAD.Terminated", 1)
breaks("S06")
