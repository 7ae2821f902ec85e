-- SPDX-License-Identifier: Apache-2.0
-- The range claims to be one for memory of devices, and the page is another process' that nobody has locked.
local m = desktop()
local at = alloc(m.notepad, {bytes = "mine"})
local theirs = alloc(m.winlogon, {bytes = "a secret"})
set_vad(m.notepad, at, {type = 1})
set_pte(m.notepad, at, {to = m.winlogon, at = theirs})
breaks("M05")
