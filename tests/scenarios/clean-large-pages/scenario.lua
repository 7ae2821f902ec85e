-- SPDX-License-Identifier: Apache-2.0
-- A program keeps its memory in pages of 2 MiB, which are locked and in no working set.
machine{memory = "4G"}
local m = desktop()
local p = process{name = "java.exe", parent = m.explorer, session = 1, threads = 4}
local heap = alloc(p, {kind = "large", size = 0x400000})
write_memory(p, heap + 0x201000, "objects")
unmap(p, alloc(p, {kind = "large", size = 0x200000}))
clean()
