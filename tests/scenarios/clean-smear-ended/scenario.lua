-- SPDX-License-Identifier: Apache-2.0
-- Threads that have long been there end while memory is read, and others begin. Somebody has handles to those that end, so that their
-- objects stay, with times that had not come yet when the clock's page was read.
local m = desktop()
local system, threads = find(4), {}
for i = 1, 24 do
	threads[i] = thread(system)
	open(m.csrss, threads[i], 0x800)
end
pass(3000)
for i = 0, 11 do
	acquire(8 * i)
	end_thread(threads[2 * i + 1])
	open(m.csrss, process{name = "new" .. i .. ".exe", parent = m.explorer, session = 1, threads = 2})
end
acquire(100)
clean()
