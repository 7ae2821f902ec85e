-- SPDX-License-Identifier: Apache-2.0
-- A hidden process in a scheduling group must still get a CPU: the group's queue leads to its thread.
local m = desktop()
ready(m.notepad.threads[1], {queue = "group"})
unlink(m.notepad)
breaks("L15")
