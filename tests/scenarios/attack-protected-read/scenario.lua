-- SPDX-License-Identifier: Apache-2.0
-- The rights that suffice to copy the secrets of a protected process.
local m = desktop()
local lsass = process{name = "lsass.exe", parent = 504, session = 0, threads = 4, protection = 0x41}

grant(m.cmd, open(m.cmd, lsass, 0x1000), 0x1410)
breaks("H02")
