-- SPDX-License-Identifier: Apache-2.0
-- Unlinked and the flag cleared too: the scheduler still runs it.
local m = desktop()
unlink(m.notepad)
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
breaks("L01", "L08", "L15")
