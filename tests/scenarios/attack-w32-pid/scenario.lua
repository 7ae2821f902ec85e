-- SPDX-License-Identifier: Apache-2.0
-- The PID is rewritten where the kernel keeps it; win32k keeps its own.
local m = desktop()
session_poke(m.notepad, w32process(m.notepad) + 0x38, m.explorer.pid)
breaks("S05")
