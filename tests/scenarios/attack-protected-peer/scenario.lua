-- SPDX-License-Identifier: Apache-2.0
-- Who opened the protected process says that it is protected too, and has no signature that says so.
local m = desktop()
local lsass = process{name = "lsass.exe", parent = 504, session = 0, threads = 4, protection = 0x41}

open(m.cmd, lsass)
set(m.cmd, "_EPROCESS.Protection", 0x61)
breaks("H02", "K08")
