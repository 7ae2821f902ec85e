-- SPDX-License-Identifier: Apache-2.0
-- A program that passes for a native one, of which csrss knows nothing, has windows.
local m = desktop()
process{name = "odd.exe", parent = m.explorer, session = 1, threads = 2, gui = true, subsystem = "native", registered = false}
breaks("S01")
