-- SPDX-License-Identifier: Apache-2.0
-- Two processes lie in blocks of a page or more, one of them at an address that was used before; blocks are billed to both.
local m = desktop()
local first = process{name = "special.exe", parent = m.explorer, session = 1, big = true}
local second = process{name = "again.exe", parent = m.explorer, session = 1, big = "reused"}
big_block{process = first, tag = "NtFs"}
big_block{process = second, size = 0x3000}
big_block{process = m.notepad, free = true}
clean()
