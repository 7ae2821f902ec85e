-- SPDX-License-Identifier: Apache-2.0
-- A whole decoy: a second image of the kernel, and a KDBG in clear that names it.
machine{encoded_kdbg = true}
desktop()
local image = copy_kernel()
local decoy = copy_kdbg()
write(decoy + 0x18, string.pack("<I8", image))
breaks("L18")
