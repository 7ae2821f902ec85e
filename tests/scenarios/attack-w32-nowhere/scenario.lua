-- SPDX-License-Identifier: Apache-2.0
-- The process' pointer leads to nothing: its W32PROCESS is in use, and its threads lead there.
local m = desktop()
set(m.notepad, "_EPROCESS.Win32Process", w32process(m.notepad) + 0x8000000)
breaks("S06")
