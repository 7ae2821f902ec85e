-- SPDX-License-Identifier: Apache-2.0
-- The entry of csrss's handle to a process is cleared.
local m = desktop()
local _, handle = csr_record(m.notepad)
drop_handle(m.csrss, handle, {object = true, table = true})
breaks("S02")
