-- SPDX-License-Identifier: Apache-2.0
-- The THREADINFO names another process' thread.
local m = desktop()
local t = m.notepad.threads[1]
session_poke(m.notepad, threadinfo(t), m.explorer.threads[1].address, t)
breaks("S06")
