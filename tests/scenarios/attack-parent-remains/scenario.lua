-- SPDX-License-Identifier: Apache-2.0
-- The parent is said to be one of which freed memory still tells; but that one was created after its child.
-- Every parent of this machine is still there.
local smss = process{name = "smss.exe", parent = find(4), threads = 2}
local shell = process{name = "explorer.exe", parent = smss, session = 1, threads = 3}
local victim = process{name = "notepad.exe", parent = shell, session = 1, threads = 2}
local later = process{name = "cmd.exe", parent = shell, session = 1, threads = 2}

local gone = process{name = "gone.exe", parent = shell, session = 1, threads = 1}
local pid = gone.pid
exit(gone)
delete(gone)
set(victim, "_EPROCESS.InheritedFromUniqueProcessId", pid)
breaks("P01")
