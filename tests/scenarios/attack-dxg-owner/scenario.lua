-- SPDX-License-Identifier: Apache-2.0
-- The DXGPROCESS names another process.
local m = desktop()
local value = string.pack("<I8", m.explorer.address)
write(dxgprocess(m.notepad) + w32_offset("dxg"), value)
set(m.notepad, "_EPROCESS.DxgProcess", dxgprocess(m.notepad)) -- as it was: the lie is about this process
breaks("S07")
