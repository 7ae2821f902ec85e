-- SPDX-License-Identifier: Apache-2.0
-- A CPU runs a thread of a process that is off the list.
local m = desktop()
run(0, m.notepad.threads[1])
unlink(m.notepad)
breaks("T06")
