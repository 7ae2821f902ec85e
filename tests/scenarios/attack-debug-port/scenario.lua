-- SPDX-License-Identifier: Apache-2.0
-- A program keeps debuggers away by a debug port that leads to something else.
local m = desktop()
set(m.notepad, "_EPROCESS.DebugPort", m.notepad.address)
breaks("H04")
