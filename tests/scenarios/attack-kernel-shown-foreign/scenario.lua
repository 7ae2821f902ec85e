-- SPDX-License-Identifier: Apache-2.0
-- Where the kernel shows its clock, a page of another process can be read.
local m = desktop()
local theirs = alloc(m.winlogon, {bytes = "a secret"})
show(m.notepad, {kernel = m.explorer, at = 0x7ffe4000})
set_pte(m.notepad, 0x7ffe4000, {to = m.winlogon, at = theirs})
breaks("M05")
