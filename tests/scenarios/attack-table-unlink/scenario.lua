-- SPDX-License-Identifier: Apache-2.0
-- The handle table is off HandleTableListHead.
local m = desktop()
unlink(m.notepad, "handles")
breaks("L11")
