-- SPDX-License-Identifier: Apache-2.0
-- What watches handles stays on its list, and is disabled.
desktop()
local entry = callback("object", 3)
write(entry + 0x14, "\0\0\0\0")
breaks("C03")
