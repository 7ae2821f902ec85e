-- SPDX-License-Identifier: Apache-2.0
-- Not the protected process is open but one of its threads, whose context can be set.
local m = desktop()
local lsass = process{name = "lsass.exe", parent = 504, session = 0, threads = 4, protection = 0x41}

grant(m.cmd, open(m.cmd, lsass.threads[2], 0x800), 0x5a)
breaks("H02")
