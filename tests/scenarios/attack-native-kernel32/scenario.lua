-- SPDX-License-Identifier: Apache-2.0
-- A program that passes for a native one and does what others do: it has loaded what the subsystem's programs live on.
local m = desktop()
local p = process{name = "odd.exe", parent = m.explorer, session = 1, threads = 2, subsystem = "native", registered = false}
load(p, "kernel32.dll")
breaks("S01")
