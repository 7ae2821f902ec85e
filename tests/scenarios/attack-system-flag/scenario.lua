-- SPDX-License-Identifier: Apache-2.0
-- A program bears the mark of System.
local m = desktop()
set(m.notepad, "_EPROCESS.SystemProcess", 1)
breaks("P06")
