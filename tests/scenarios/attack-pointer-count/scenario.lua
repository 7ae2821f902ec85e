-- SPDX-License-Identifier: Apache-2.0
-- Up to Windows 7 the two counts of an object must agree; later ones are judged by the handles alone.
local m = desktop()
local header = m.csrss.address - 0x30
if has("_HANDLE_TABLE_ENTRY.Object") then
	set(header, "_OBJECT_HEADER.PointerCount", 0)
else
	set(header, "_OBJECT_HEADER.HandleCount", 0)
end
breaks("L20")
