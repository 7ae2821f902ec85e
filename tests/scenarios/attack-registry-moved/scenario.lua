-- SPDX-License-Identifier: Apache-2.0
-- A program stands where the kernel keeps Registry.
local m = desktop()
process{name = "Registry", parent = m.system, minimal = true, threads = 3, role = "registry"}
write(symbol("CmpRegistryProcess"), string.pack("<I8", m.notepad.address))
breaks("P06")
