-- SPDX-License-Identifier: Apache-2.0
-- A child that was taken out of the job of its parent passes for one that is being created: it has threads.
local m = desktop()
local parent = process{name = "parent.exe", parent = m.explorer, session = 1, threads = 2}
local job = job{parent}
process{name = "one.exe", parent = parent, session = 1}
process{name = "two.exe", parent = parent, session = 1}

local p = process{name = "escaped.exe", parent = parent, session = 1, threads = 2}
unlink(p, "job")
set(p, "_EPROCESS.Job", 0)
set(job, "_EJOB.ActiveProcesses", get(job, "_EJOB.ActiveProcesses") - 1)
set(p, "_EPROCESS.ProcessInserted", 0)
breaks("P05")
