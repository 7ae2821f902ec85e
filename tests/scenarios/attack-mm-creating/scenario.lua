-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates creation: only the memory manager lists the process and ProcessInserted is clear, yet a thread runs.
local m = desktop()
unlink(m.notepad)
unlink(m.notepad, "scheduler")
erase_cid(m.notepad)
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
set(m.notepad, "_EPROCESS.ActiveThreads", 0)
run(0, m.notepad.threads[1])
breaks("L03", "L17")
