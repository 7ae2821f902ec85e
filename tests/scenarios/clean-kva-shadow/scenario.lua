-- SPDX-License-Identifier: Apache-2.0
-- Processes with a second root for user mode.
machine{kva_shadow = true}
local m = desktop()
process{name = "Memory", parent = m.system, minimal = true, threads = 2}
process{name = "net.exe", parent = m.cmd, session = 1, state = "zombie"}
run(0, m.notepad.threads[1])
clean()
