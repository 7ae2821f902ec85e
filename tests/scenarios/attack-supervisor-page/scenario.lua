-- SPDX-License-Identifier: Apache-2.0
-- A page of the user half is for the kernel alone: memory that somebody in the kernel keeps in a process.
local m = desktop()
local at = alloc(m.notepad, {bytes = "kept"})
set_pte(m.notepad, at, {user = false})
