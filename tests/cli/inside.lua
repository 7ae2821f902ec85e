-- SPDX-License-Identifier: Apache-2.0
-- What the commands that show the memory of processes are tried on: a JIT's memory, a patched function, a module that the loader
-- no longer knows, a file with an awkward name, a 32-bit program.
local d = desktop()
local notepad = process{name = "editor.exe", parent = d.explorer, session = 1, threads = 2}
code = alloc(notepad, {size = 0x3000, protect = "rwx", bytes = "\x48\x31\xc0\xc3 invar-marker-in-private-memory"})
reserved = alloc(notepad, {size = 0x40000000, protect = "rw", reserve = true})
data = map_file(notepad, "\\Users\\user\\..\\a b$c;.dat", {size = 0x1000, protect = "r", bytes = "invar-marker-in-a-file"})
load(notepad, "crypt32.dll")
unlink_module(notepad, "crypt32.dll")
write_memory(notepad, module(notepad, "ntdll.dll", "NtCreateFile"), "\xe9\x00\x10\x00\x00")
local old = process{name = "setup.exe", parent = d.explorer, session = 1, threads = 2, wow64 = true}
local gone = process{name = "gone.exe", parent = d.explorer, session = 1, state = "zombie"}
registry({["S-1-5-18"] = "%systemroot%\\system32\\config\\systemprofile"}, {"Dnscache"})
