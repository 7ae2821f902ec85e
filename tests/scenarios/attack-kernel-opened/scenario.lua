-- SPDX-License-Identifier: Apache-2.0
-- The way to a page of the kernel half is opened to user mode, in one process.
local m = desktop()
open_kernel(m.notepad, m.winlogon)
breaks("M11")
