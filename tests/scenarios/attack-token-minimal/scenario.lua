-- SPDX-License-Identifier: Apache-2.0
-- A process with a program that pretends to be minimal, and has the token of System.
local m = desktop()
steal_token(m.notepad, m.system)
set(m.notepad, "_EPROCESS.Minimal", 1)
set(m.notepad, "_DISPATCHER_HEADER.Minimal", 1)
breaks("K02")
