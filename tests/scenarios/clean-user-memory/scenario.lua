-- SPDX-License-Identifier: Apache-2.0
-- What programs do with their memory: ranges that are reserved, committed, protected and freed; files mapped as data, shared
-- and copied on write; DLLs that come and go; pages that are trimmed, paged out and compressed; a clone and a WOW64 process.
local d = desktop()
local heap = alloc(d.notepad, {size = 0x200000, reserve = true})
local page = alloc(d.notepad, {size = 0x8000, bytes = "text"})
alloc(d.cmd, {size = 0x10000, protect = "none"})
alloc(d.cmd, {size = 0x3000, protect = "guard"})
unmap(d.cmd, alloc(d.cmd, {size = 0x4000}))
protect(d.notepad, page + 0x1000, 0x1000, "r")
local text = map_file(d.notepad, "C:\\Users\\u\\note.txt", {bytes = string.rep("dear diary ", 1000)})
local copy = map_file(d.explorer, "C:\\Users\\u\\note.txt", {size = 0x1000, protect = "wc"})
map_file(d.csrss, nil, {size = 0x10000, protect = "rw", bytes = "shared"})
load(d.notepad, "gdi32.dll")
load(d.explorer, "gdi32.dll")
unload(d.explorer, "gdi32.dll")
load(d.cmd, "C:\\Program Files\\App\\plugin.dll")
write_memory(d.explorer, copy, "DEAR")
page_state(d.notepad, page, "transition")
page_state(d.notepad, page + 0x2000, "paged")
page_state(d.notepad, page + 0x3000, "compressed")
page_state(d.notepad, page + 0x4000, "demand")
page_state(d.notepad, text, "transition")
page_state(d.notepad, module(d.notepad, "kernel32.dll") + 0x2000, "transition")
process{name = "old.exe", session = 1, wow64 = true, modules = 3}
process{name = "notepad.exe", session = 1, parent = d.explorer, clone_of = d.notepad}
exit(process{name = "gone.exe", session = 1, parent = d.explorer, modules = 5})
clean()
