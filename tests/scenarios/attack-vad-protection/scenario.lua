-- SPDX-License-Identifier: Apache-2.0
-- A view was mapped to be read and executed; its range claims that it may only be read.
local m = desktop()
local at = map_file(m.notepad, nil, {size = 0x4000, protect = "rwx", bytes = "\x90\x90\xc3"})
set_vad(m.notepad, at, {protect = "r"})
breaks("M07")
