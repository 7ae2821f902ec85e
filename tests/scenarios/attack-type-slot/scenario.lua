-- SPDX-License-Identifier: Apache-2.0
-- Two types change places in the table of types.
desktop()
local slot = symbol("ObTypeIndexTable") + 8 * 9
local section, file = peek(slot), peek(slot + 8)
write(slot, string.pack("<I8I8", file, section))
breaks("H03")
