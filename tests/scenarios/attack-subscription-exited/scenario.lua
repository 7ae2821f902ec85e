-- SPDX-License-Identifier: Apache-2.0
-- It passes for one that has exited; it has threads.
machine{kernel = "22000"}
local m = desktop()
unlink_backlink(subscribe(m.notepad))
set(m.notepad, "_EPROCESS.ExitTime", image_time())
breaks("S12")
