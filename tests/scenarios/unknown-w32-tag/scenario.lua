-- SPDX-License-Identifier: Apache-2.0
-- The same where blocks come from a heap of segments: an observation.
local m = desktop()
session_poke(m.notepad, w32process(m.notepad) - 0x10, 0)
