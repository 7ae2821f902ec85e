-- SPDX-License-Identifier: Apache-2.0
-- A thread has its flag set and is not counted down yet.
local m = desktop()
set(m.notepad.threads[2], "_ETHREAD.Terminated", 1)
excused("T01")
clean()
