-- SPDX-License-Identifier: Apache-2.0
-- Compilers that run with the program: memory that is written to and executed, memory that is made executable when it is whole, and
-- one section mapped twice, to be written to and to be executed.
local m = desktop()
alloc(m.notepad, {size = 0x10000, protect = "rwx", bytes = "\x55\x48\x89\xe5\xc3"})
local code = alloc(m.explorer, {size = 0x10000, bytes = "\x55\x48\x89\xe5\xc3"})
protect(m.explorer, code, 0x10000, "rx")
map_file(m.cmd, nil, {size = 0x4000, protect = "rx", bytes = "\xc3"})
