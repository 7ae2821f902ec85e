-- SPDX-License-Identifier: Apache-2.0
-- User mode gets a table that the kernel does not see.
machine{kva_shadow = true}
local m = desktop()
write_physical(m.notepad.user_dtb + 8 * 5, string.pack("<I8", page() | 0x67))
breaks("M04")
