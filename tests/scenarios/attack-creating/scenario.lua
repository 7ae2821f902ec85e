-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates creation keeps the thread that runs.
local m = desktop()
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
set(m.notepad, "_EPROCESS.ActiveThreads", 0)
breaks("L01", "T01")
