-- SPDX-License-Identifier: Apache-2.0
-- MiInsertNewProcess and MiDeleteFinalPageTables stopped between the memory manager's list and the session's.
local m = desktop()
run(0, m.explorer.threads[1])
local new = process{name = "new.exe", parent = m.explorer, session = 1, state = "c0"}
unlink(new, "session")
local old = process{name = "old.exe", parent = m.explorer, session = 1, state = "d1"}
unlink(old, "session")
clean()
