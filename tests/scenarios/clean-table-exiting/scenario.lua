-- SPDX-License-Identifier: Apache-2.0
-- The process gave up its table, which is still on the list.
local m = desktop()
local last = process{name = "last.exe", parent = m.explorer, threads = 0}
set(last, "_EPROCESS.ProcessDelete", 1)
set(last, "_EPROCESS.ObjectTable", 0)
excused("L11")
clean()
