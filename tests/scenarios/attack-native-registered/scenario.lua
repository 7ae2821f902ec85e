-- SPDX-License-Identifier: Apache-2.0
-- A process that csrss knows runs a native program: its section is not that of the program with which it was created.
local m = desktop()
process{name = "odd.exe", parent = m.explorer, session = 1, threads = 2, subsystem = "native"}
breaks("S01")
