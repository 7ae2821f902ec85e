-- SPDX-License-Identifier: Apache-2.0
-- A hidden process pretends to be in creation: it has threads.
local m = desktop()
run(0, m.explorer.threads[1])
unlink(m.notepad)
unlink(m.notepad, "scheduler")
erase_cid(m.notepad)
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
set(m.notepad, "_EPROCESS.ActiveThreads", 0)
breaks("L06")
