-- SPDX-License-Identifier: Apache-2.0
-- The flag is cleared on a process that is listed and runs: it is not being created, nor deleted.
local m = desktop()
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
breaks("L01")
