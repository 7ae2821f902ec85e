-- SPDX-License-Identifier: Apache-2.0
-- Every kind of process: programs for windows with and without any, of the console with and without, native ones (csrss is one, and has
-- windows), a service, one in a container, a 32-bit one with windows, a snapshot of one with windows, and one of whom a thread has gone.
local system = find(4)
local smss = process{name = "smss.exe", parent = system, threads = 2}
local csrss = process{name = "csrss.exe", parent = 504, session = 1, threads = 5, gui = true, user = "system", csrss = true,
	subsystem = "native"}
local shell = process{name = "explorer.exe", parent = 2204, session = 1, threads = 5, gui = true}
local editor = process{name = "notepad.exe", parent = shell, session = 1, threads = 3, gui = true}
process{name = "cmd.exe", parent = shell, session = 1, threads = 2, subsystem = "console"}
process{name = "powershell.exe", parent = shell, session = 1, threads = 4, gui = true, subsystem = "console"}
process{name = "worker.exe", parent = shell, session = 1, threads = 1}
process{name = "render.exe", parent = shell, session = 1, threads = 1, graphics = true}
process{name = "tool.exe", parent = smss, session = 1, threads = 1, subsystem = "native", registered = false}
process{name = "csrss.exe", parent = 504, session = 0, threads = 5, csrss = true, subsystem = "native"}
process{name = "svchost.exe", parent = 600, session = 0, threads = 3, user = "localservice"}
process{name = "old.exe", parent = shell, session = 1, threads = 2, gui = true, wow64 = true}
process{name = "notepad.exe", parent = shell, session = 1, clone_of = editor}
set_desktop(editor.threads[3], nil)
end_thread(editor.threads[3])
excused("S05")
clean()
