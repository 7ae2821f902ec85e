-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates exit sets time and flags, but two threads are still scheduled.
local m = desktop()
set(m.notepad, "_EPROCESS.ActiveThreads", 0)
set(m.notepad, "_EPROCESS.ProcessDelete", 1)
if has("_EPROCESS.ProcessRundown") then set(m.notepad, "_EPROCESS.ProcessRundown", 1) end
set(m.notepad, "_EPROCESS.ExitTime", image_time() - seconds(60))
for _, thread in ipairs(m.notepad.threads) do set(thread, "_ETHREAD.Terminated", 1) end
breaks("X01")
