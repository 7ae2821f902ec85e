-- SPDX-License-Identifier: Apache-2.0
-- The same is claimed, but a thread of the process ran before.
local m = desktop()
pass(60)
local quick = process{name = "quick.exe", parent = m.explorer, session = 1, threads = 2}
local slow = process{name = "slow.exe", parent = m.explorer, session = 1, threads = 0, created = quick.created - seconds(5)}
thread(slow, {created = quick.created + seconds(-3)})
set(slow, "_EPROCESS.ProcessInserted", 1)
breaks("P02")
