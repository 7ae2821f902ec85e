-- SPDX-License-Identifier: Apache-2.0
-- The count of handles is forged.
local m = desktop()
set(m.notepad.address - 0x30, "_OBJECT_HEADER.HandleCount", 0)
breaks("L20")
