-- SPDX-License-Identifier: Apache-2.0
-- State d1 after the unlinking: only the entry of PspCidTable is left.
local m = desktop()
local dead = process{name = "dead.exe", parent = m.explorer, state = "zombie"}
unlink(dead)
set(dead, "_EPROCESS.ProcessInserted", 0)
set(dead.address - 0x30, "_OBJECT_HEADER.PointerCount", 0)
excused("L02")
clean()
