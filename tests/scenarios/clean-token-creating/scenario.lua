-- SPDX-License-Identifier: Apache-2.0
-- A process that is created has no token yet, one that is deleted none any more.
local m = desktop()
set(process{name = "new.exe", parent = m.explorer, session = 1, state = "c0"}, "_EPROCESS.Token", 0)
set(process{name = "old.exe", parent = m.explorer, session = 1, state = "d2"}, "_EPROCESS.Token", 0)
clean()
