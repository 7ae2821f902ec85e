-- SPDX-License-Identifier: Apache-2.0
-- A combined page may be written to in one of the processes that share it: it then writes into the others' memory.
local m = desktop()
local mine, theirs = alloc(m.notepad, {bytes = "same"}), alloc(m.explorer, {bytes = "same"})
combine(m.notepad, mine, m.explorer, theirs)
set_pte(m.notepad, mine, {write = true})
breaks("M05")
