-- SPDX-License-Identifier: Apache-2.0
-- What threads and loaders do on any machine: fibers, alternate stacks, suspended threads, apps that stand still, queued calls
-- into DLLs, a DLL that is just being loaded, a process that has not run yet, WOW64.
local m = desktop()
local app = process{name = "app.exe", parent = m.explorer, session = 1, threads = 6, gui = true,
	command_line = "app.exe /background"}
local loadlibrary = module(app, "kernel32.dll", "GetProcAddress")
fiber(app.threads[2])
fiber(app.threads[3], {teb = false}) -- as the runtimes of some languages do
suspend(app.threads[4], 2)
queue_apc(app.threads[5], {routine = loadlibrary, pending = true})
queue_apc(app.threads[6], {mode = "kernel", io = true})
attach(app.threads[6], m.csrss)
end_thread(app.threads[1])
thread(app, {alertable = true})
load(app, "amsi.dll", {link = false})
load(app, "gdi32.dll", {link = false})
link_module(app, "gdi32.dll", {"load", "memory"})
load(app, "uxtheme.dll")
unload(app, "uxtheme.dll")

local idle = process{name = "store.exe", parent = m.explorer, session = 1, threads = 3}
freeze(idle)
process{name = "new.exe", parent = m.explorer, session = 1, state = "c3"}
local old = process{name = "old.exe", path = "\\Device\\HarddiskVolume4\\Old Programs\\old.exe", parent = m.explorer,
	session = 1, threads = 3, wow64 = true, modules = 3}
suspend(old.threads[2])
clean()
