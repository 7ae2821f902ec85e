-- SPDX-License-Identifier: Apache-2.0
-- A zombie that csrss holds says that nothing does.
local m = desktop()
local dead = process{name = "dead.exe", parent = m.explorer, session = 1, state = "zombie"}
open(m.csrss, dead)
set(dead.address - 0x30, "_OBJECT_HEADER.PointerCount", 0)
breaks("X04")
