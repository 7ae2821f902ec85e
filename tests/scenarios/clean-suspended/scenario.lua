-- SPDX-License-Identifier: Apache-2.0
-- A process that was created suspended a moment ago, as every process is; threads that a debugger holds, and an app that nobody looks
-- at.
local m = desktop()
suspend(m.notepad.threads[2])
suspend(m.notepad.threads[1], 2)
freeze(m.cmd)
local young = process{name = "young.exe", session = 1, parent = m.explorer, created = image_time() - seconds(2)}
context(young.threads[1], {rip = get(young.threads[1], "_ETHREAD.StartAddress")})
suspend(young.threads[1])
excused("T22")
clean()
