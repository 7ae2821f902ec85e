-- SPDX-License-Identifier: Apache-2.0
-- The PFN entry of a root names nobody.
local m = desktop()
set_owner(m.notepad, 0)
breaks("L05", "L06")
