-- SPDX-License-Identifier: Apache-2.0
-- PsInitialSystemProcess points to another process than the first of the list.
local m = desktop()
write(symbol("PsInitialSystemProcess"), string.pack("<I8", m.notepad.address))
breaks("L18")
