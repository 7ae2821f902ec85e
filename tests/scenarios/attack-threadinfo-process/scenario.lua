-- SPDX-License-Identifier: Apache-2.0
-- A thread is grafted into another process' windows.
local m = desktop()
local t = m.notepad.threads[1]
session_poke(m.notepad, threadinfo(t) + w32_offset("ppi"), w32process(m.explorer), t)
breaks("S06")
