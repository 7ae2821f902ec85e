-- SPDX-License-Identifier: Apache-2.0
-- A handle with few rights to a protected process, which a driver made one with all.
local m = desktop()
local lsass = process{name = "lsass.exe", parent = 504, session = 0, threads = 4, protection = 0x41}

local handle = open(m.cmd, lsass, 0x1000)
grant(m.cmd, handle, 0x1fffff)
breaks("H02")
