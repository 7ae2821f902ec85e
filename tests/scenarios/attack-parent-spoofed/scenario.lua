-- SPDX-License-Identifier: Apache-2.0
-- A program names explorer.exe as the parent of what it creates. A broker does the same: it is observed, not more.
local m = desktop()
local evil = process{name = "evil.exe", parent = m.cmd, session = 1, threads = 2}
local child = process{name = "child.exe", parent = m.explorer, creator = evil, session = 1, threads = 2}
set(child, "_EPROCESS.InheritedFromUniqueProcessId", m.explorer.pid)
breaks("P03")
