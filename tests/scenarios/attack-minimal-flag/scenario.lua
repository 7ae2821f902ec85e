-- SPDX-License-Identifier: Apache-2.0
-- A program passes for a minimal process, to the executive alone.
local m = desktop()
set(m.notepad, "_EPROCESS.Minimal", 1)
breaks("P06")
