-- SPDX-License-Identifier: Apache-2.0
-- A job in a job: the outer one counts the processes of both, and lists its own.
local m = desktop()
local outer = job{m.explorer, m.notepad}
job({m.cmd}, outer)
excused("S10")
clean()
