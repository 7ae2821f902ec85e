-- SPDX-License-Identifier: Apache-2.0
-- The code of a routine returns at once.
desktop()
local _, _, code = callback("process", 7)
write(code, "\xc3")
breaks("C01")
