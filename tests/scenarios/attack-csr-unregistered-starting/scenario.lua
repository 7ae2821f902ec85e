-- SPDX-License-Identifier: Apache-2.0
-- A program that was created past the subsystem passes for one that has not run: one of its threads has.
local m = desktop()
local p = process{name = "notepad.exe", parent = m.explorer, session = 1, threads = 2, registered = false}
unlink_thread(p.threads[2], "dispatcher")
set(p.threads[2], "_KTHREAD.State", 0)
breaks("S01")
