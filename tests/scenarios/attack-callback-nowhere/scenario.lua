-- SPDX-License-Identifier: Apache-2.0
-- A slot leads to code that stands in pool.
desktop()
local _, pointer = callback("process", 3)
local _, code = page()
write(pointer, string.pack("<I8", code))
breaks("C01")
