-- SPDX-License-Identifier: Apache-2.0
-- A thread older than its process.
local m = desktop()
set(m.notepad.threads[2], "_ETHREAD.CreateTime", m.notepad.created - seconds(30))
breaks("T15", "S03")
