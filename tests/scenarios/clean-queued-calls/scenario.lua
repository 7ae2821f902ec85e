-- SPDX-License-Identifier: Apache-2.0
-- What threads of programs do: fibers, APCs of ntdll's and the program's own routines, of the kernel, and of an I/O request; a thread
-- attached to another process while APCs wait for it; threads that end; a WOW64 process with a waiting APC.
local m = desktop()
fiber(m.notepad.threads[1])
queue_apc(m.notepad.threads[2], {routine = module(m.notepad, "ntdll.dll", "NtTestAlert"), context = 0x1234})
queue_apc(m.notepad.threads[2], {routine = module(m.notepad, "notepad.exe") + 0x1000, pending = true})
queue_apc(m.explorer.threads[1], {mode = "kernel", io = true})
queue_apc(m.explorer.threads[2], {routine = module(m.explorer, "ntdll.dll", "NtTestAlert")})
attach(m.explorer.threads[2], m.cmd)
local old = process{name = "old.exe", session = 1, parent = m.explorer, wow64 = true, threads = 3}
local routine = module(old, "old.exe") + 0x1000
if routine < 0x100000000 then
	queue_apc(old.threads[1], {routine = -routine << 2})
end
end_thread(old.threads[2], {})
run(0, old.threads[3])
clean()
