-- SPDX-License-Identifier: Apache-2.0
-- A thread is out of PspCidTable.
local m = desktop()
erase_cid(m.notepad.threads[2])
breaks("T05")
