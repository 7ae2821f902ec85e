-- SPDX-License-Identifier: Apache-2.0
-- The image is taken while the machine runs: processes and threads start, exit and are deleted meanwhile, so that the two sides
-- of many records are of different moments.
local m = desktop()
local old = {}
for i = 1, 12 do
	old[i] = process{name = "app" .. i .. ".exe", parent = m.explorer, session = 1, threads = 3, gui = i % 3 == 0}
	open(m.csrss, old[i])
end
pass(3000)
local young = {}
for i = 0, 19 do
	acquire(5 * i)
	young[#young + 1] = process{name = "new" .. i .. ".exe", parent = m.explorer, session = 1, threads = 2}
	open(m.csrss, young[#young])
	run(i % 2, (i % 3 == 0 and m.explorer or m.notepad).threads[1 + i % 3])
	if i % 2 == 0 then
		thread(m.explorer)
	end
	if i % 4 == 1 then
		end_thread(m.explorer.threads[#m.explorer.threads])
	end
	if i % 3 == 1 then
		exit(old[1 + i // 3])
	elseif i % 3 == 2 then
		delete(old[1 + i // 3])
	end
	if i % 5 == 4 then
		exit(young[i - 2])
	end
end
acquire(100)
clean()
