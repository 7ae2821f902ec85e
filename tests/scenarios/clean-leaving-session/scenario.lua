-- SPDX-License-Identifier: Apache-2.0
-- A process that is not inserted yet has its session without the flag.
local m = desktop()
local new = process{name = "new.exe", parent = m.explorer, session = 1, threads = 0}
set(new, "_EPROCESS.ProcessInserted", 0)
set(new, "_EPROCESS.ProcessInSession", 0)
excused("L04")
clean()
