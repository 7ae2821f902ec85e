-- SPDX-License-Identifier: Apache-2.0
-- State c0: the address space is made, the process is not listed yet.
local m = desktop()
run(0, m.explorer.threads[1])
local new = process{name = "new.exe", parent = m.explorer, threads = 0}
unlink(new)
erase_cid(new, true)
set(new, "_EPROCESS.ProcessInserted", 0)
excused("L06")
clean()
