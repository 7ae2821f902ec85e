-- SPDX-License-Identifier: Apache-2.0
-- A routine is taken out of its slot, and its block then made to name memory that no module has: it may as well be no such block, so
-- that this alone is unknown.
desktop()
register("thread", "edrsense.sys")
local n = 1
while select(4, callback("thread", n)) ~= "edrsense.sys" do
	n = n + 1
end
local block = select(5, callback("thread", n))
silence("thread", n)
write(block + 8, string.pack("<I8", block))
breaks("C01")
