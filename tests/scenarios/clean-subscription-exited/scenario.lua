-- SPDX-License-Identifier: Apache-2.0
-- An exited process has given back its context of WNF, and the pointer to it is still there.
machine{kernel = "22000"}
local m = desktop()
local old = process{name = "old.exe", parent = m.explorer, session = 1, state = "zombie"}
local context = subscribe(old)
unlink_backlink(context)
excused("S12")
clean()
