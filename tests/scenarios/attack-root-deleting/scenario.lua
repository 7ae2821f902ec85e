-- SPDX-License-Identifier: Apache-2.0
-- A process that is still referenced pretends to be in deletion.
local m = desktop()
run(0, m.explorer.threads[1])
local dead = process{name = "dead.exe", parent = m.explorer, session = 1, state = "zombie"}
unlink(dead)
set(dead, "_EPROCESS.ProcessInserted", 0)
breaks("L06")
