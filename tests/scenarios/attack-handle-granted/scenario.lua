-- SPDX-License-Identifier: Apache-2.0
-- A driver writes the rights of a process into an entry, whatever the object is.
local m = desktop()
local handle = open(m.cmd, object("Event"), 0x100000)
grant(m.cmd, handle, 0x1fffff)
breaks("H01")
