-- SPDX-License-Identifier: Apache-2.0
-- It is signalled to pass for one that is being deleted.
local m = desktop()
erase_cid(m.notepad.threads[2])
set(m.notepad.threads[2], "_DISPATCHER_HEADER.SignalState", 1)
breaks("T05")
