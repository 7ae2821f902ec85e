-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates deletion forgets that handles still refer to the object.
local m = desktop()
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
set(m.notepad, "_EPROCESS.ExitTime", image_time() - seconds(60))
breaks("L01", "X01")
