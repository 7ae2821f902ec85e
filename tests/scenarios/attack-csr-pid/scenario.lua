-- SPDX-License-Identifier: Apache-2.0
-- csrss's record bears another PID: one that nobody has, and that of another process.
local m = desktop()
csr_set(m.notepad, "pid", 60000)
breaks("S01", "S02")
csr_set(m.explorer, "pid", m.cmd.pid)
breaks("S01", "S02")
