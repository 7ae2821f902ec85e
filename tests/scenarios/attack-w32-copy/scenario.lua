-- SPDX-License-Identifier: Apache-2.0
-- The process leads to a copy of its W32PROCESS, in which everything is as it was; its threads still lead to the first, which is in
-- use.
local m = desktop()
set(m.notepad, "_EPROCESS.Win32Process", copy_w32process(m.notepad))
breaks("S06")
