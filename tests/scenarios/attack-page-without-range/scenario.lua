-- SPDX-License-Identifier: Apache-2.0
-- A page is mapped by page tables alone; no range was ever there.
local m = desktop()
map_page(m.notepad, 0x30000000, {protect = "rwx", bytes = "implant"})
breaks("M06")
