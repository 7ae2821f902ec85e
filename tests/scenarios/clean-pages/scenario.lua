-- SPDX-License-Identifier: Apache-2.0
-- Pages are in all states, views of files and of the page file are there, and a guard page.
local m = desktop()
local at = alloc(m.notepad, {size = 0x10000, bytes = string.rep("x", 0x10000)})
page_state(m.notepad, at, "transition")
page_state(m.notepad, at + 0x1000, "paged")
page_state(m.notepad, at + 0x2000, "demand")
page_state(m.notepad, at + 0x3000, "compressed")
protect(m.notepad, at + 0x4000, 0x1000, "guard")
map_file(m.notepad, "C:\\Users\\user\\notes.txt", {bytes = string.rep("n", 9000)})
map_file(m.notepad, nil, {size = 0x8000, protect = "rw", bytes = "shared"})
map_file(m.explorer, "C:\\Users\\user\\notes.txt", {bytes = string.rep("n", 9000), protect = "wc"})
alloc(m.notepad, {size = 0x100000000, reserve = true})
clean()
