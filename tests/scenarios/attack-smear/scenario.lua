-- SPDX-License-Identifier: Apache-2.0
-- A process is unlinked while memory is read, and young processes come and go beside it. It runs before and after, so that
-- its absence is no smear.
local m = desktop()
local ghost = process{name = "ghost.exe", parent = m.explorer, session = 1, threads = 12}
for _, t in ipairs(ghost.threads) do
	open(m.csrss, t)
end
pass(3000)
unlink(ghost)
breaks("L15")
for i = 0, 9 do
	acquire(10 * i)
	local p = process{name = "new" .. i .. ".exe", parent = m.explorer, session = 1, threads = 2}
	open(m.csrss, p)
	run(i % 2, (i % 3 == 0 and m.explorer or m.notepad).threads[1 + i % 3])
end
acquire(100)
