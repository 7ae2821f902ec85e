-- SPDX-License-Identifier: Apache-2.0
-- What the kernel calls for the window manager stands in pool.
desktop()
local _, pointer = callback("win32")
local _, code = page()
write(pointer, string.pack("<I8", code))
breaks("C06")
