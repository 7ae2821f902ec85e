-- SPDX-License-Identifier: Apache-2.0
-- A zombie off the list passes for one that is being deleted, but is still referenced.
local m = desktop()
local dead = process{name = "dead.exe", parent = m.explorer, session = 1, state = "zombie"}
unlink(dead)
set(dead, "_EPROCESS.ProcessInserted", 0)
breaks("L02")
