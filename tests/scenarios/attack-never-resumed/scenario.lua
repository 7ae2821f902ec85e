-- SPDX-License-Identifier: Apache-2.0
-- A process that was created suspended a minute ago, to be hollowed.
local m = desktop()
local victim = process{name = "victim.exe", session = 1, parent = m.explorer}
context(victim.threads[1], {rip = get(victim.threads[1], "_ETHREAD.StartAddress")})
suspend(victim.threads[1])
pass(60)
