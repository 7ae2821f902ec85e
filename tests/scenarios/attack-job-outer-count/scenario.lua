-- SPDX-License-Identifier: Apache-2.0
-- The counter of a job with a job within it is more than all their lists explain.
local m = desktop()
local outer = job{m.explorer, m.notepad}
job({m.cmd}, outer)
set(outer, "_EJOB.ActiveProcesses", 4)
breaks("S10")
