-- SPDX-License-Identifier: Apache-2.0
-- The entry of a handle was wiped, so that nobody sees who has the process open.
local m = desktop()
local handle = open(m.cmd, m.winlogon, 0x1fffff)
drop_handle(m.cmd, handle)
breaks("L20")
