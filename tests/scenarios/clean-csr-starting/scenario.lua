-- SPDX-License-Identifier: Apache-2.0
-- A process has its first thread, which has not run; csrss is told of it before it does.
local m = desktop()
local p = process{name = "new.exe", parent = m.explorer, session = 1, threads = 1, registered = false}
unlink_thread(p.threads[1], "dispatcher")
set(p.threads[1], "_KTHREAD.State", 0)
excused("S01")
clean()
