-- SPDX-License-Identifier: Apache-2.0
-- The process shows another's W32PROCESS for its own.
local m = desktop()
set(m.notepad, "_EPROCESS.Win32Process", w32process(m.explorer))
breaks("S05", "S06")
