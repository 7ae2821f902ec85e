-- SPDX-License-Identifier: Apache-2.0
-- Processes start while memory is read, and nothing ends: the pages of the youngest were read before they were written.
local m = desktop()
acquire(0)
for i = 1, 10 do
	local p = process{name = "new" .. i .. ".exe", parent = m.explorer, session = 1, threads = 2}
	open(m.csrss, p)
	acquire(10 * i)
end
clean()
