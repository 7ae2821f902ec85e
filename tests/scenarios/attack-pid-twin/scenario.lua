-- SPDX-License-Identifier: Apache-2.0
-- Two processes with one PID.
local m = desktop()
process{name = "twin.exe", pid = m.notepad.pid, parent = m.explorer, session = 1, threads = 2}
breaks("L16")
