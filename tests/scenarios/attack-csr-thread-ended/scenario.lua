-- SPDX-License-Identifier: Apache-2.0
-- The record of a thread is off its list, and the thread has an exit time, as if it had ended.
local m = desktop()
csr_unlink(m.notepad.threads[1])
set(m.notepad.threads[1], "_ETHREAD.ExitTime", image_time() - seconds(1))
breaks("S03")
