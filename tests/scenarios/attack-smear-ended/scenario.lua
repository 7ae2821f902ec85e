-- SPDX-License-Identifier: Apache-2.0
-- A thread ended long before memory was read; the time of its end is forged to one later than any acquisition can have lasted. Others
-- really end meanwhile.
local m = desktop()
local system, threads = find(4), {}
for i = 1, 12 do
	threads[i] = thread(system)
	open(m.csrss, threads[i], 0x800)
end
end_thread(threads[1])
pass(3000)
set(threads[1], "_ETHREAD.ExitTime", image_time() + seconds(3600))
breaks("T15")
for i = 0, 9 do
	acquire(10 * i)
	local p = process{name = "new" .. i .. ".exe", parent = m.explorer, session = 1, threads = 2}
	open(m.csrss, p)
	run(i % 2, (i % 3 == 0 and m.explorer or m.notepad).threads[1 + i % 3])
	if i < 5 then
		end_thread(threads[2 * i + 3])
	end
end
acquire(100)
