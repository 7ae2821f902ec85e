-- SPDX-License-Identifier: Apache-2.0
-- A creation was begun before another and ended after it.
local m = desktop()
pass(60)
local quick = process{name = "quick.exe", parent = m.explorer, session = 1, threads = 2}
local slow = process{name = "slow.exe", parent = m.explorer, session = 1, threads = 0, created = quick.created - seconds(5)}
thread(slow, {created = quick.created + seconds(1)})
excused("P02")
clean()
