-- SPDX-License-Identifier: Apache-2.0
-- A library without header that is on no list: readers that look for headers do not see it.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
local at = load(p, "hidden.dll")
-- What a library writes to when it is initialised.
local function data_of(base)
	local header = base + string.unpack("<I4", read_memory(p, base + 0x3c, 4))
	local count, size = string.unpack("<I2", read_memory(p, header + 6, 2)), string.unpack("<I2", read_memory(p, header + 20, 2))
	for i = 0, count - 1 do
		local at = header + 24 + size + 40 * i
		if read_memory(p, at, 5) == ".data" then return base + string.unpack("<I4", read_memory(p, at + 12, 4)) end
	end
end
write_memory(p, data_of(at), "initialised")
unlink_module(p, "hidden.dll")
write_memory(p, at, string.rep("\0", 0x1000))
breaks("I11")
