-- SPDX-License-Identifier: Apache-2.0
-- The same, and it passes for a minimal process.
local m = desktop()
hide_threads(m.notepad)
set(m.notepad, "_EPROCESS.Minimal", 1)
set(m.notepad, "_DISPATCHER_HEADER.Minimal", 1)
breaks("X05")
