-- SPDX-License-Identifier: Apache-2.0
-- The context of WNF of a process is taken off the list of all contexts.
machine{kernel = "22000"}
local m = desktop()
subscribe(m.explorer)
unlink_backlink(subscribe(m.notepad))
breaks("S12")
