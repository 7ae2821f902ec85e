-- SPDX-License-Identifier: Apache-2.0
-- A thread uses another process's address space without being attached.
local m = desktop()
set(m.notepad.threads[2], "_KTHREAD.ApcState.Process", m.explorer)
breaks("T04")
