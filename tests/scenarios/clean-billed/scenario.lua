-- SPDX-License-Identifier: Apache-2.0
-- A block is billed to a process in creation, another to one that was deleted.
machine{kernel = "22000"}
local m = desktop()
big_block{process = process{name = "new.exe", parent = m.explorer, session = 1, state = "c1"}}
big_block{process = freed{name = "gone.exe", parent = m.explorer, session = 1}}
clean()
