-- SPDX-License-Identifier: Apache-2.0
-- A process that has ended is off the active list, and a block of pool is still billed to it.
machine{kernel = "22000"}
local m = desktop()
local old = process{name = "old.exe", parent = m.explorer, session = 1, state = "zombie"}
open(m.explorer, old)
big_block{process = old}
unlink(old)
breaks("L15")
