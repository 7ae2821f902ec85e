-- SPDX-License-Identifier: Apache-2.0
-- State c2: listed, the flag not yet set, no thread yet.
local m = desktop()
local new = process{name = "new.exe", parent = m.explorer, session = 1, threads = 0}
set(new, "_EPROCESS.ProcessInserted", 0)
excused("L01")
clean()
