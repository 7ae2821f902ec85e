-- SPDX-License-Identifier: Apache-2.0
-- A liar who hides a process from a job that has a child: the child keeps its own count.
local m = desktop()
local outer = job{m.explorer, m.notepad}
local inner = job({m.cmd, m.winlogon}, outer)
unlink(m.cmd, "job")
set(m.cmd, "_EPROCESS.Job", 0)
breaks("S10")
