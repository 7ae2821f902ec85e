-- SPDX-License-Identifier: Apache-2.0
-- The code of a routine begins with a jump into another module, through memory.
desktop()
local _, _, code = callback("image", 2)
local _, pointer = page()
local target = routine("HTTP.sys")
write(code + 16, string.pack("<I8", target))
write(code, "\xff\x25" .. string.pack("<i4", 10))
breaks("C01")
