-- SPDX-License-Identifier: Apache-2.0
-- A routine that watches the registry leads into pool.
desktop()
local _, pointer = callback("registry", 2)
local _, code = page()
write(pointer, string.pack("<I8", code))
breaks("C01")
