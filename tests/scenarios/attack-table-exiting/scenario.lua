-- SPDX-License-Identifier: Apache-2.0
-- A process that lives hides its handles as if it gave them up.
local m = desktop()
set(m.notepad, "_EPROCESS.ObjectTable", 0)
set(m.notepad, "_EPROCESS.ProcessDelete", 1)
breaks("L11")
