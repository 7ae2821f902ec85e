-- SPDX-License-Identifier: Apache-2.0
-- The table says that it belongs to somebody else.
local m = desktop()
set(m.notepad.handle_table, "_HANDLE_TABLE.QuotaProcess", m.cmd)
breaks("L11")
