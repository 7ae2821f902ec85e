-- SPDX-License-Identifier: Apache-2.0
-- Threads of a scheduling group wait for a CPU.
local m = desktop()
ready(m.explorer.threads[1], {queue = "group"})
ready(m.explorer.threads[2], {queue = "group", priority = 15})
ready(m.notepad.threads[1], {queue = "group", cpu = 1, priority = 0})
clean()
