-- SPDX-License-Identifier: Apache-2.0
-- A job within another is taken off that one's list.
local m = desktop()
local outer = job{m.explorer}
local inner = job({m.cmd}, outer)
local head = at(outer, "_EJOB.ChildJobListHead")
write(head, string.pack("<I8I8", head, head))
breaks("S10")
