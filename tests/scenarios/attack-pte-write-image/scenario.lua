-- SPDX-License-Identifier: Apache-2.0
-- A page of ntdll that all processes share is made writable by page tables alone, so that what is written is in all of them at once.
local m = desktop()
set_pte(m.notepad, module(m.notepad, "ntdll.dll", "LdrLoadDll"), {write = true})
breaks("M07")
