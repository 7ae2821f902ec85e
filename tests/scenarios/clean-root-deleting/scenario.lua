-- SPDX-License-Identifier: Apache-2.0
-- State d1: the process is off the list, its address space is deleted next.
local m = desktop()
run(0, m.explorer.threads[1])
local dead = process{name = "dead.exe", parent = m.explorer, state = "zombie"}
unlink(dead)
set(dead, "_EPROCESS.ProcessInserted", 0)
set(dead.address - 0x30, "_OBJECT_HEADER.PointerCount", 0) -- the header ends where the body begins
excused("L06")
clean()
