-- SPDX-License-Identifier: Apache-2.0
-- A KDBG in pool names a kernel that is not there: of a former boot, of a guest, or made up. Nobody can tell.
desktop()
local copy = copy_kdbg()
write(copy + 0x18, string.pack("<I8", 0xfffff80600000000))
clean()
