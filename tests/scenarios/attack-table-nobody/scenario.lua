-- SPDX-License-Identifier: Apache-2.0
-- A table that belongs to no process, as only that of the kernel does.
local m = desktop()
set(m.notepad.handle_table, "_HANDLE_TABLE.QuotaProcess", 0)
breaks("L11")
