-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates creation: PID 0, unlinked and not inserted, but its threads are there.
local m = desktop()
unlink(m.notepad)
set(m.notepad, "_EPROCESS.UniqueProcessId", 0)
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
breaks("L16")
