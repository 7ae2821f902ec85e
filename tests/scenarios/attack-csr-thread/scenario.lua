-- SPDX-License-Identifier: Apache-2.0
-- csrss's record of a thread is off the list of its process; that of another is also off the list of the same hash.
local m = desktop()
csr_unlink(m.notepad.threads[1], {hash = false})
breaks("S03")
csr_unlink(m.explorer.threads[2])
breaks("S03")
