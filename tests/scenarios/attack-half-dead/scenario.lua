-- SPDX-License-Identifier: Apache-2.0
-- A zombie that kept its handle table.
local m = desktop()
local dead = process{name = "dead.exe", parent = m.explorer, session = 1, state = "zombie"}
set(dead, "_EPROCESS.ObjectTable", get(m.notepad, "_EPROCESS.ObjectTable"))
breaks("X02")
