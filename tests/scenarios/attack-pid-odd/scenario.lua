-- SPDX-License-Identifier: Apache-2.0
-- A PID that Windows never gives.
local m = desktop()
process{name = "odd.exe", pid = 1237, parent = m.explorer, session = 1, threads = 2}
breaks("L16")
