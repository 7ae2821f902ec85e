-- SPDX-License-Identifier: Apache-2.0
-- On the memory manager's list only: one has no identifier yet, the other is about to lose everything.
local m = desktop()
process{name = "new.exe", parent = m.explorer, session = 1, state = "c1"}
process{name = "dead.exe", parent = m.explorer, session = 1, state = "d1"}
clean()
