-- SPDX-License-Identifier: Apache-2.0
-- State d1: the last reference is gone, the flag cleared, the links not yet.
local m = desktop()
local dead = process{name = "dead.exe", parent = m.explorer, session = 1, state = "zombie"}
set(dead, "_EPROCESS.ProcessInserted", 0)
set(dead.address - 0x30, "_OBJECT_HEADER.PointerCount", 0) -- the header ends where the body begins
excused("L01")
clean()
