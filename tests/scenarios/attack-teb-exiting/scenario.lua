-- SPDX-License-Identifier: Apache-2.0
-- A thread made by hand, without a TEB, passes for one that exits: but it waits as programs do.
local m = desktop()
local thread = thread(m.notepad, {teb = false})
set(thread, "_ETHREAD.Terminated", 1)
breaks("T11")
