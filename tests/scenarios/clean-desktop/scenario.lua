-- SPDX-License-Identifier: Apache-2.0
-- A desktop of 130 processes in three sessions: services, two users, what Windows keeps without a session, and what exited
-- while others still held handles to it.
machine{cpus = 4, memory = "512M"}
local system = find(4)
local modern = has("_EPROCESS.Protection")
local count = 2 -- Idle and System
local function make(wish)
	count = count + 1
	return process(wish)
end
if symbol("PsSecureSystemProcess") then
	make{name = "Secure System", parent = system, minimal = true, threads = 0, protection = 0x72, role = "secure-system"}
end
if modern then
	make{name = "Registry", parent = system, minimal = true, threads = 3, protection = 0x72, role = "registry"}
end
make{name = "smss.exe", parent = system, threads = 2, protection = modern and 0x61 or nil}
make{name = "csrss.exe", parent = 60004, session = 0, threads = 10, gui = true, csrss = true}
local wininit = make{name = "wininit.exe", parent = 60004, session = 0, threads = 1}
local services = make{name = "services.exe", parent = wininit, session = 0, threads = 16}
make{name = "lsass.exe", parent = wininit, session = 0, threads = 9}
make{name = "fontdrvhost.exe", parent = wininit, session = 0, threads = 5}
local host
for i = 1, 54 do
	host = make{name = "svchost.exe", parent = services, session = 0, threads = 2 + i * 7 % 13, gui = i % 9 == 0}
end
if modern then
	make{name = "MemCompression", parent = system, minimal = true, threads = 14, protection = 0x72,
		role = "memory-compression"}
end
for _, name in ipairs{"spoolsv.exe", "SecurityHealthService.exe", "MsMpEng.exe", "WmiPrvSE.exe", "dllhost.exe", "msdtc.exe"} do
	make{name = name, parent = services, session = 0, threads = 9}
end
local running = {}
for session = 1, 2 do
	local gone = 60004 + 4 * session -- the smss.exe that started the session
	make{name = "csrss.exe", parent = gone, session = session, threads = 12, gui = true, csrss = true}
	local winlogon = make{name = "winlogon.exe", parent = gone, session = session, threads = 6, gui = true}
	make{name = "dwm.exe", parent = winlogon, session = session, threads = 10, gui = true}
	make{name = "sihost.exe", parent = host, session = session, threads = 17, gui = true}
	make{name = "taskhostw.exe", parent = services, session = session, threads = 11, gui = true}
	local explorer = make{name = "explorer.exe", parent = 60020 + 4 * session, session = session, threads = 40, gui = true}
	local apps = {}
	for _, name in ipairs{"RuntimeBroker.exe", "SearchUI.exe", "ShellExperienceHost.exe", "OneDrive.exe", "cmd.exe", "conhost.exe",
		"notepad - Copy (2).exe", "vmtoolsd.exe"} do
		apps[#apps + 1] = make{name = name, parent = explorer, session = session, threads = 5, gui = name ~= "cmd.exe"}
	end
	job{apps[1], apps[2], apps[3]}
	running[#running + 1] = explorer
	for i = 1, 14 do
		make{name = "notepad.exe", parent = explorer, session = session, state = "zombie"}
	end
end
while count < 130 do
	make{name = "svchost.exe", parent = services, session = 0, threads = 3}
end
run(0, running[1].threads[1])
run(1, running[2].threads[1])
ready(running[1].threads[2], {cpu = 2, priority = 12})
ready(running[2].threads[2], {queue = "shared", priority = 9})
clean()
