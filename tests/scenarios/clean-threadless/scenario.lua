-- SPDX-License-Identifier: Apache-2.0
-- Processes without threads that have not exited: a snapshot of another, one that is just being created, and one whose last
-- thread has told that it goes and has not written the exit time yet.
local m = desktop()
process{name = "notepad.exe", parent = m.explorer, clone_of = m.notepad, session = 1}
local leaving = process{name = "leaving.exe", parent = m.explorer, session = 1, threads = 1, gui = true}
set(leaving, "_EPROCESS.ActiveThreads", 0)
set(leaving, "_EPROCESS.ProcessDelete", 1)
if has("_EPROCESS.ProcessRundown") then set(leaving, "_EPROCESS.ProcessRundown", 1) end
set(leaving.threads[1], "_ETHREAD.Terminated", 1)
process{name = "new.exe", parent = m.explorer, session = 1, state = "c3", created = image_time() - seconds(2)}
clean()
