-- SPDX-License-Identifier: Apache-2.0
-- The PID in the handle table was rewritten.
local m = desktop()
set(m.notepad.handle_table, "_HANDLE_TABLE.UniqueProcessId", 4)
breaks("L11")
