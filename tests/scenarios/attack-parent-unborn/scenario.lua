-- SPDX-License-Identifier: Apache-2.0
-- The parent is said to be a process that did not exist yet. It looks as if an identifier had been given out again; but all
-- processes that were there before still are, and none had it.
-- Every parent of this machine is still there.
local smss = process{name = "smss.exe", parent = find(4), threads = 2}
local shell = process{name = "explorer.exe", parent = smss, session = 1, threads = 3}
local victim = process{name = "notepad.exe", parent = shell, session = 1, threads = 2}
local later = process{name = "cmd.exe", parent = shell, session = 1, threads = 2}
set(victim, "_EPROCESS.InheritedFromUniqueProcessId", later.pid)
breaks("P01")
