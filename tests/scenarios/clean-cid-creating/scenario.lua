-- SPDX-License-Identifier: Apache-2.0
-- State c1: it has its identifier and its handle table, and is not listed yet.
local m = desktop()
local new = process{name = "new.exe", parent = m.explorer, threads = 0}
unlink(new)
set(new, "_EPROCESS.ProcessInserted", 0)
set(new.handle_table, "_HANDLE_TABLE.UniqueProcessId", m.explorer.pid)
excused("L02", "L11")
clean()
