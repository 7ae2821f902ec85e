-- SPDX-License-Identifier: Apache-2.0
-- A thread on one process's lists belongs to another.
local m = desktop()
local thread = m.notepad.threads[2]
set(thread, "_KTHREAD.ApcState.Process", m.explorer)
set(thread, "_KTHREAD.Process", m.explorer)
breaks("T03")
