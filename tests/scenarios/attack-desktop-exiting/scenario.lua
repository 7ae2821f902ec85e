-- SPDX-License-Identifier: Apache-2.0
-- The imitator of a process that exits: excused on the desktop, and found by what an exit leaves.
local m = desktop()
unlink(m.notepad)
set(m.notepad, "_EPROCESS.ExitTime", image_time() - seconds(1))
breaks("L01")
