-- SPDX-License-Identifier: Apache-2.0
-- Who pretends to be exiting is excused here, and found where exit is judged.
local m = desktop()
set(m.notepad, "_EPROCESS.Win32Process", w32process(m.explorer))
set(m.notepad, "_EPROCESS.ExitTime", image_time() - seconds(1))
breaks("X01")
