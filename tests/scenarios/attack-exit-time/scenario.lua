-- SPDX-License-Identifier: Apache-2.0
-- A process that runs pretends to have ended.
local m = desktop()
set(m.notepad, "_EPROCESS.ExitTime", image_time() - seconds(60))
breaks("X01")
