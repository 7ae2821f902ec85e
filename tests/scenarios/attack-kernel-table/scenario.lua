-- SPDX-License-Identifier: Apache-2.0
-- The kernel is given the handle table of a program as its own, so that what this has open passes for the kernel's.
local m = desktop()
write(symbol("ObpKernelHandleTable"), string.pack("<I8", get(m.cmd, "_EPROCESS.ObjectTable")))
breaks("H05")
