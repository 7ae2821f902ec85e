-- SPDX-License-Identifier: Apache-2.0
-- Processes that ended and are still held: on all lists but the scheduler's.
local m = desktop()
process{name = "updater.exe", parent = m.explorer, session = 1, state = "zombie", exit_status = 1}
process{name = "net.exe", parent = m.cmd, session = 1, state = "zombie"}
run(0, m.notepad.threads[1])
clean()
