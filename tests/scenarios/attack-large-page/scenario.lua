-- SPDX-License-Identifier: Apache-2.0
-- A range for large pages, in which one of 2 MiB is mapped over physical memory that holds a private page of another process.
machine{memory = "4G"}
local m = desktop()
local theirs = alloc(m.winlogon, {bytes = "a secret"})
local window = alloc(m.notepad, {kind = "large", size = 0x200000})
set_pte(m.notepad, window, {to = m.winlogon, at = theirs, large = true})
breaks("M05")
