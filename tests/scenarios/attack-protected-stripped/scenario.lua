-- SPDX-License-Identifier: Apache-2.0
-- Protection was taken from a process that had another open by right; its signature levels stay.
local m = desktop()
local lsass = process{name = "lsass.exe", parent = 504, session = 0, threads = 4, protection = 0x41}

local service = process{name = "services.exe", parent = 504, session = 0, threads = 4, protection = 0x61}
open(service, lsass)
set(service, "_EPROCESS.Protection", 0)
breaks("H02")
