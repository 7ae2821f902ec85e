-- SPDX-License-Identifier: Apache-2.0
-- The same of one that is being deleted.
machine{kernel = "22000"}
local m = desktop()
local old = process{name = "old.exe", parent = m.explorer, session = 1, state = "d1"}
port(old)
subscribe(old)
set(old, "_EPROCESS.ExitTime", 0)
unlink_backlink(old.address and get(old, "_EPROCESS.WnfContext"))
excused("S12")
clean()
