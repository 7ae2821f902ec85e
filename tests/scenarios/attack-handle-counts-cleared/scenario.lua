-- SPDX-License-Identifier: Apache-2.0
-- As if it were not inserted: off the list, its flag cleared. But what a file counts the handles of has a thread.
machine{kernel = "22000"}
local m = desktop()
local _, shared = open_file(m.explorer, "shared.log")
open(m.notepad, shared)
unlink(m.notepad, "active")
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
run(0, m.explorer.threads[1])
breaks("L15")
