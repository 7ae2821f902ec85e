-- SPDX-License-Identifier: Apache-2.0
-- csrss's record of a process is off its list; the kernel knows of it all the same.
local m = desktop()
csr_unlink(m.notepad)
breaks("S01")
