-- SPDX-License-Identifier: Apache-2.0
-- An identifier is taken out of PspCidTable, whose own count tells of it.
local m = desktop()
erase_cid(m.notepad.threads[2])
breaks("H06", "T05")
