-- SPDX-License-Identifier: Apache-2.0
-- One function of SeCiCallbacks stands in pool.
desktop()
local slot = callback("ci", 3)
local _, code = page()
write(slot, string.pack("<I8", code))
breaks("C05")
