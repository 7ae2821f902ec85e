-- SPDX-License-Identifier: Apache-2.0
-- A process protects itself that others had open before. What they hold says nothing; that no signature bears it out does.
local m = desktop()
open(m.cmd, m.notepad)
set(m.notepad, "_EPROCESS.Protection", 0x31)
breaks("K08")
