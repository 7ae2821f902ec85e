-- SPDX-License-Identifier: Apache-2.0
-- The tag of the block is wiped, so that nobody finds it by that.
local m = desktop()
session_poke(m.notepad, w32process(m.notepad) - 0x10, 0)
breaks("S05")
