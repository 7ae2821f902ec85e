-- SPDX-License-Identifier: Apache-2.0
-- A process without threads is off every list and out of every table; a file that another has open too still counts its handles.
machine{kernel = "22000"}
local m = desktop()
local p = process{name = "ghost.exe", parent = m.explorer, session = 1, threads = 0}
local _, shared = open_file(m.explorer, "shared.log")
open(p, shared)
for _, list in ipairs{"active", "session", "handles"} do
	unlink(p, list)
end
if has("_EPROCESS.MmProcessLinks") then pcall(unlink, p, "mm") end
erase_cid(p)
breaks("L15")
