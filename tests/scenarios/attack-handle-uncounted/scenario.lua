-- SPDX-License-Identifier: Apache-2.0
-- The entry of a handle is gone, and the object counts it no more. The table still does.
local m = desktop()
local handle = open(m.cmd, m.cmd)
drop_handle(m.cmd, handle, {object = true})
breaks("H06")
