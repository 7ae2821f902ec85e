-- SPDX-License-Identifier: Apache-2.0
-- The same with a number that is no address.
local m = desktop()
set(m.notepad, "_EPROCESS.DebugPort", 1)
breaks("H04")
