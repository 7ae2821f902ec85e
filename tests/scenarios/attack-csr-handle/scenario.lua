-- SPDX-License-Identifier: Apache-2.0
-- The handle in csrss's record is that of another process, or of none.
local m = desktop()
local _, handle = csr_record(m.cmd)
csr_set(m.notepad, "handle", handle)
breaks("S02")
csr_set(m.explorer, "handle", 0x84)
breaks("S02")
