-- SPDX-License-Identifier: Apache-2.0
-- A PTE of private memory leads to a page of another process.
local m = desktop()
local at = alloc(m.notepad, {bytes = "mine"})
local theirs = alloc(m.winlogon, {bytes = "a secret"})
set_pte(m.notepad, at, {to = m.winlogon, at = theirs})
breaks("M05")
