-- SPDX-License-Identifier: Apache-2.0
-- A program of Windows that was created past the subsystem.
local m = desktop()
process{name = "notepad.exe", parent = m.explorer, session = 1, threads = 2, registered = false}
breaks("S01")
