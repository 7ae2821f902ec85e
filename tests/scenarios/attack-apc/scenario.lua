-- SPDX-License-Identifier: Apache-2.0
-- QueueUserAPC into another process: private memory waits to be run.
local m = desktop()
local code = alloc(m.explorer, {size = 0x1000, protect = "rwx", bytes = "\xc3"})
queue_apc(m.explorer.threads[1], {routine = code})
