-- SPDX-License-Identifier: Apache-2.0
-- A running process off the list that clears its flag to pass for one in creation.
local m = desktop()
unlink(m.notepad)
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
breaks("L02", "L11")
