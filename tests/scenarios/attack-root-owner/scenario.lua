-- SPDX-License-Identifier: Apache-2.0
-- The PFN entry of a root names another process.
local m = desktop()
set_owner(m.notepad, m.explorer)
breaks("L05")
