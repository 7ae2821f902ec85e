-- SPDX-License-Identifier: Apache-2.0
-- The code of a routine begins with a jump into pool.
desktop()
local _, _, code = callback("image", 2)
local _, target = page()
write(code, "\x48\xb8" .. string.pack("<I8", target) .. "\xff\xe0")
breaks("C01")
