-- SPDX-License-Identifier: Apache-2.0
-- What the kernel calls for system calls of pico processes is a function of another driver.
desktop()
driver("lxcore.sys")
register("pico", "lxcore.sys")
local slot = callback("pico")
write(slot, string.pack("<I8", routine("HTTP.sys")))
breaks("C06")
