-- SPDX-License-Identifier: Apache-2.0
-- The last thread is on its way out: everything is told, and it is still scheduled.
local m = desktop()
local leaving = process{name = "leaving.exe", parent = m.explorer, session = 1, threads = 1}
set(leaving, "_EPROCESS.ActiveThreads", 0)
set(leaving, "_EPROCESS.ProcessDelete", 1)
if has("_EPROCESS.ProcessRundown") then set(leaving, "_EPROCESS.ProcessRundown", 1) end
set(leaving, "_EPROCESS.ExitStatus", 0)
set(leaving, "_EPROCESS.ExitTime", image_time() - seconds(1))
set(leaving.threads[1], "_ETHREAD.Terminated", 1)
excused("X01", "X02")
clean()
