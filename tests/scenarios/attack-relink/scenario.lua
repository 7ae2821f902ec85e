-- SPDX-License-Identifier: Apache-2.0
-- A process that was hidden comes back at another place of the list.
local m = desktop()
relink(m.notepad, m.smss)
breaks("L09")
