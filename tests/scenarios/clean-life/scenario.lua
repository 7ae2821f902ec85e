-- SPDX-License-Identifier: Apache-2.0
-- Threads and processes that ended in every way, between others that were made before and after: threads that are still held
-- and such that are gone, zombies with and without handles and threads, deleted processes, time that passed.
local m = desktop()
end_thread(m.explorer.threads[3], {status = 1}) -- csrss holds it
end_thread(m.explorer.threads[2], {deleted = true})
pass(60)
local setup = process{name = "setup.exe", parent = m.explorer, session = 1, threads = 3, gui = true}
local job = job{setup, m.cmd}
local handle = open(m.cmd, setup)
open(m.csrss, setup.threads[2])
open(setup, setup.threads[1])
open(setup, m.cmd)
ready(setup.threads[3], {cpu = 1, priority = 10})
run(0, setup.threads[2])
exit(setup, {status = 3})
assert(#setup.threads == 1) -- the one that csrss holds
thread(m.explorer)
pass(1.5)
local child = process{name = "child.exe", parent = setup, session = 1}
delete(setup)
assert(#setup.threads == 0 and find(setup.pid) == nil)
assert(get(object_type("Process"), "_OBJECT_TYPE.TotalNumberOfHandles") > 0)
end_thread(child.threads[1], {deleted = true}) -- its last: a zombie without threads
local orphan = process{name = "orphan.exe", parent = child, session = 0, threads = 2}
delete(child)
exit(m.smss)
run(0, orphan.threads[1])
run(1, m.explorer.threads[1])
clean()
