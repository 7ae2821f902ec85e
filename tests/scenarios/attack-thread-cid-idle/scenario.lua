-- SPDX-License-Identifier: Apache-2.0
-- A thread out of PspCidTable says that it belongs to Idle, whose threads are not in it.
local m = desktop()
erase_cid(m.notepad.threads[2])
set(m.notepad.threads[2], "_KTHREAD.Process", find(0))
breaks("T05", "T03")
