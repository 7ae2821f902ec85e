-- SPDX-License-Identifier: Apache-2.0
-- Threads that wait for a CPU, on its own lists and on the queue that CPUs share, made ready by another CPU, or waiting.
local m = desktop()
ready(m.explorer.threads[1])
ready(m.explorer.threads[2], {cpu = 1, priority = 15})
ready(m.explorer.threads[3], {queue = "shared", priority = 10})
ready(m.explorer.threads[4], {queue = "shared", priority = 10})
ready(m.notepad.threads[1], {queue = "deferred"})
ready(m.notepad.threads[2], {queue = "deferred"})
wait(m.cmd.threads[1], {cpu = 1})
clean()
