-- SPDX-License-Identifier: Apache-2.0
-- A handle with a generic right, as the kernel may have one, in the table of a program.
machine{kernel = "7601"}
local m = desktop()
local handle = open(m.cmd, m.notepad, 0x100000)
grant(m.cmd, handle, 0x10000000)
breaks("H01")
