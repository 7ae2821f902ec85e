-- SPDX-License-Identifier: Apache-2.0
-- A process is created suspended, and an APC waits for its first thread, which never ran.
local m = desktop()
local victim = process{name = "victim.exe", session = 1, parent = m.explorer}
local code = alloc(victim, {size = 0x1000, protect = "rx", bytes = "\xc3"})
context(victim.threads[1], {rip = get(victim.threads[1], "_ETHREAD.StartAddress")})
suspend(victim.threads[1])
queue_apc(victim.threads[1], {routine = code})
pass(60)
