-- SPDX-License-Identifier: Apache-2.0
-- Its last reference went a moment ago, and nothing was taken down yet.
local m = desktop()
local dead = process{name = "dead.exe", parent = m.explorer, session = 1, state = "zombie"}
set(dead.address - 0x30, "_OBJECT_HEADER.PointerCount", 0)
excused("X04")
clean()
