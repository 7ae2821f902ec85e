-- SPDX-License-Identifier: Apache-2.0
-- Off the list and out of PspCidTable; csrss still holds its handle.
local m = desktop()
unlink(m.notepad)
breaks("L15", "L19")
erase_cid(m.notepad)
