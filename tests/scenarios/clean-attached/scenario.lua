-- SPDX-License-Identifier: Apache-2.0
-- A thread that runs attached to another process: CR3 is that of the process it is attached to.
local m = desktop()
run(0, m.csrss.threads[2])
attach(m.csrss.threads[2], m.notepad)
clean()
