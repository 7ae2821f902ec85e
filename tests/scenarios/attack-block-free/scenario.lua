-- SPDX-License-Identifier: Apache-2.0
-- The headers of the blocks in which listed processes lie say that these are free, so that scanners pass them over.
machine{kernel = "9600"}
local m = desktop()
for _, process in ipairs{m.notepad, m.cmd} do
	write(process.address - 0x60 + 3, "\0")
end
breaks("L14")
