-- SPDX-License-Identifier: Apache-2.0
-- A process that runs claims not to be inserted yet, and has no number.
local m = desktop()
set(m.notepad, "_EPROCESS.SequenceNumber", 0)
breaks("L09")
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
breaks("L01")
