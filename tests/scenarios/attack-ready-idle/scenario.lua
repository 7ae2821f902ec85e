-- SPDX-License-Identifier: Apache-2.0
-- A liar who says that a hidden thread belongs to Idle: the process that has it on its list denies that, and so does another
-- thread that is made over to no process at all.
local m = desktop()
ready(m.notepad.threads[1])
ready(m.notepad.threads[2])
set(m.notepad.threads[1], "_KTHREAD.Process", find(0))
unlink_thread(m.notepad.threads[2], "executive")
unlink_thread(m.notepad.threads[2], "scheduler")
breaks("T03", "T08")
