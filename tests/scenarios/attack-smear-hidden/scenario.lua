-- SPDX-License-Identifier: Apache-2.0
-- The liar gives a hidden process the looks of one that was born while memory was read: a CreateTime of that minute. Its number
-- is lower than those of older processes, and its threads are older than itself.
local m = desktop()
local ghost = process{name = "ghost.exe", parent = m.explorer, session = 1, threads = 12}
for i = 1, 4 do
	process{name = "app" .. i .. ".exe", parent = m.explorer, session = 1, threads = 2}
end
pass(3000)
set(ghost, "_EPROCESS.CreateTime", image_time() - seconds(30))
breaks("T15")
unlink(ghost)
breaks("L15")
for i = 0, 9 do
	acquire(10 * i)
	local p = process{name = "new" .. i .. ".exe", parent = m.explorer, session = 1, threads = 2}
	open(m.csrss, p)
	run(i % 2, (i % 3 == 0 and m.explorer or m.notepad).threads[1 + i % 3])
end
acquire(100)
