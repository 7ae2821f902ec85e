-- SPDX-License-Identifier: Apache-2.0
-- The routines stay where they are, and the kernel is told to call none.
desktop()
write(symbol("PspNotifyEnableMask"), "\0\0\0\0")
breaks("C01")
