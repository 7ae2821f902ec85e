-- SPDX-License-Identifier: Apache-2.0
-- A page of the kernel is shown at that place, and may be written to.
local m = desktop()
show(m.notepad, {kernel = m.explorer, at = 0x7ffe4000})
set_pte(m.notepad, 0x7ffe4000, {write = true})
breaks("M05")
