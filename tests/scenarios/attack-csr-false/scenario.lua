-- SPDX-License-Identifier: Apache-2.0
-- A process with the name of csrss, which owns no port.
local m = desktop()
process{name = "csrss.exe", parent = m.explorer, session = 1, threads = 2}
breaks("S09")
