-- SPDX-License-Identifier: Apache-2.0
-- The process is out of PspCidTable, so that nobody can open it by its PID.
local m = desktop()
erase_cid(m.notepad)
breaks("L02")
