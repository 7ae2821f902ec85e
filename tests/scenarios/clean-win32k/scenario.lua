-- SPDX-License-Identifier: Apache-2.0
-- Two sessions with windows, a service that made USER calls, one process with graphics and no window, one with neither; some have
-- exited, and their blocks are free with their content.
local m = desktop()
local service = process{name = "spoolsv.exe", parent = m.system, session = 0, threads = 3, gui = true, user = "system"}
local headless = process{name = "worker.exe", parent = service, session = 0, threads = 1, user = "system"}
local other = process{name = "explorer.exe", parent = m.system, session = 2, threads = 4, gui = true}
process{name = "render.exe", parent = other, session = 2, threads = 2, graphics = true}
local windowless = process{name = "tray.exe", parent = other, session = 2, threads = 2, gui = true, graphics = false}
process{name = "gone.exe", parent = other, session = 2, state = "zombie", gui = true}
freed{name = "older.exe", parent = other, session = 2, gui = true}
assert(not w32process(headless) and not dxgprocess(headless) and not dxgprocess(windowless))
assert(w32process(other) and session_peek(other, w32process(other)) == other.address)
set_desktop(other.threads[2], window_desktop(2, "Winlogon"))
set_desktop(service.threads[3], nil)
clean()
