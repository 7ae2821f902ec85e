-- SPDX-License-Identifier: Apache-2.0
-- A PTE of private memory leads to the page of an EPROCESS.
local m = desktop()
local at = alloc(m.notepad, {bytes = "mine"})
set_pte(m.notepad, at, {at = m.winlogon, write = true})
breaks("M05")
