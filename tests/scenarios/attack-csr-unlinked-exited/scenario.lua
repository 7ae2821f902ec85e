-- SPDX-License-Identifier: Apache-2.0
-- The same of one that passes for one that has exited: it still has threads.
local m = desktop()
csr_unlink(m.notepad)
set(m.notepad, "_EPROCESS.ExitTime", image_time() - seconds(1))
breaks("S01")
