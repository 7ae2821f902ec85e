-- SPDX-License-Identifier: Apache-2.0
-- The image is taken while processes start, modules are loaded and unloaded, and memory comes and goes.
local m = desktop()
local base = {}
pass(3000)
for i = 0, 19 do
	acquire(5 * i)
	local p = process{name = "new" .. i .. ".exe", parent = m.explorer, session = 1, threads = 2}
	open(m.csrss, p)
	run(i % 2, (i % 3 == 0 and m.explorer or m.notepad).threads[1 + i % 3])
	base[i] = load(m.notepad, "plugin" .. i .. ".dll")
	local at = alloc(m.explorer, {size = 0x20000, bytes = "x"})
	if i % 2 == 1 then
		unload(m.notepad, base[i - 1])
		unmap(m.explorer, at)
	end
end
acquire(100)
clean()
