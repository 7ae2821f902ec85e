-- SPDX-License-Identifier: Apache-2.0
-- The bit that forbids to execute is cleared for private memory: what VirtualProtect does, too, so that it is no proof.
local m = desktop()
local at = alloc(m.notepad, {bytes = string.rep("\x90", 64)})
set_pte(m.notepad, at, {execute = true})
