-- SPDX-License-Identifier: Apache-2.0
-- The kernel's own KDBG is encoded, and one in clear stands in pool for those who search for its tag: it leads to a false list.
machine{encoded_kdbg = true}
desktop()
local decoy = copy_kdbg()
write(decoy + 0x50, string.pack("<I8", symbol("PsActiveProcessHead") + 0x100))
breaks("L18")
