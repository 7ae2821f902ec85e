-- SPDX-License-Identifier: Apache-2.0
-- A program calls itself System.
local m = desktop()
rename_process(m.notepad, "System")
breaks("P06")
