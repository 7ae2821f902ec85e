-- SPDX-License-Identifier: Apache-2.0
-- Protected processes, opened by others: with all rights by such as are protected by the same or a higher signer and by the kernel, with
-- those that everybody may have by the rest.
local m = desktop()
local smss = process{name = "smss.exe", parent = m.system, threads = 2, protection = 0x61}
local csrss = process{name = "csrss.exe", parent = 504, session = 0, threads = 3, protection = 0x61, csrss = true}
local lsass = process{name = "lsass.exe", parent = 504, session = 0, threads = 4, protection = 0x41}
local guard = process{name = "MsMpEng.exe", parent = 504, session = 0, threads = 4, protection = 0x31}
process{name = "svchost.exe", parent = 504, session = 0, threads = 4, protection = 0x51}
process{name = "upfc.exe", parent = 504, session = 0, threads = 4, protection = 0x11}
for _, p in ipairs{smss, lsass, guard} do
	open(csrss, p)
	open(m.system, p)
	open(m.cmd, p, 0x101801)
	for _, t in ipairs(p.threads) do
		open(csrss, t)
		open(m.explorer, t, 0x101c02)
	end
end
open(lsass, lsass)
open(m.explorer, csrss, 0x1000)
excused("H02")
clean()
