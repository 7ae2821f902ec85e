-- SPDX-License-Identifier: Apache-2.0
-- csrss's record of a thread has another identifier, time or handle than the thread.
local m = desktop()
csr_set(m.notepad.threads[1], "tid", 60000)
breaks("S03")
csr_set(m.explorer.threads[1], "created", m.explorer.created - seconds(100))
breaks("S03")
csr_set(m.winlogon.threads[1], "handle", 0x84)
breaks("S03")
local _, handle = csr_record(m.cmd.threads[2])
csr_set(m.cmd.threads[1], "handle", handle)
breaks("S03")
