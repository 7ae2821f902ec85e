-- SPDX-License-Identifier: Apache-2.0
-- The header of a process says that it is a thread.
local m = desktop()
forge_type(m.notepad, 8)
breaks("L12")
