-- SPDX-License-Identifier: Apache-2.0
-- Whoever opens the PID of notepad gets cmd.
local m = desktop()
replace_cid(m.notepad, m.cmd)
breaks("L02", "L16")
