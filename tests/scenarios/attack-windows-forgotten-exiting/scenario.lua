-- SPDX-License-Identifier: Apache-2.0
-- The same, and a thread passes for one that has terminated: it waits for what it asked for.
local m = desktop()
forget_windows(m.notepad)
set(m.notepad.threads[1], "_ETHREAD.Terminated", 1)
breaks("S05")
