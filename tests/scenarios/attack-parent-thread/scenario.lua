-- SPDX-License-Identifier: Apache-2.0
-- The identifier of the parent was that of a thread long before the process was created.
-- Every parent of this machine is still there.
local smss = process{name = "smss.exe", parent = find(4), threads = 2}
local shell = process{name = "explorer.exe", parent = smss, session = 1, threads = 3}
pass(60)
local victim = process{name = "notepad.exe", parent = shell, session = 1, threads = 2}
local later = process{name = "cmd.exe", parent = shell, session = 1, threads = 2}
set(victim, "_EPROCESS.InheritedFromUniqueProcessId", shell.threads[2].tid)
breaks("P01")
