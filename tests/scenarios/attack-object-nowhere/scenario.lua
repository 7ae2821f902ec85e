-- SPDX-License-Identifier: Apache-2.0
-- What watches handles leads into pool.
desktop()
local _, pointer = callback("object", 1)
local _, code = page()
write(pointer, string.pack("<I8", code))
breaks("C03")
