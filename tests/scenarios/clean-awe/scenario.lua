-- SPDX-License-Identifier: Apache-2.0
-- A database has physical pages of its own and maps them into a window (AWE): they are locked, and in no working set.
local m = desktop()
local p = process{name = "sqlservr.exe", parent = m.explorer, session = 1, threads = 4}
local window = alloc(p, {kind = "awe", size = 0x180000})
write_memory(p, window, "rows")
clean()
