-- SPDX-License-Identifier: Apache-2.0
-- A thread is taken off the count.
local m = desktop()
set(m.notepad, "_EPROCESS.ActiveThreads", #m.notepad.threads - 1)
breaks("T01")
