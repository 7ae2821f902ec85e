-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates a process in creation keeps its threads.
local m = desktop()
unlink(m.notepad, "session")
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
breaks("L04")
