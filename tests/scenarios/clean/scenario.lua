-- SPDX-License-Identifier: Apache-2.0
-- A desktop that runs: two sessions, twenty processes, nothing wrong.
machine{cpus = 2}
local system = find(4)
if has("_EPROCESS.Protection") then
	process{name = "Registry", parent = system, minimal = true, threads = 4, protection = 0x72, role = "registry"}
end
local smss = process{name = "smss.exe", parent = system, threads = 2, protection = has("_EPROCESS.Protection") and 0x61 or nil}
-- The smss.exe that started a session is gone once the session runs: PIDs 504 and 616 belong to nobody.
local csrss0 = process{name = "csrss.exe", parent = 504, session = 0, threads = 9, gui = true, csrss = true}
local wininit = process{name = "wininit.exe", parent = 504, session = 0, threads = 3}
local csrss1 = process{name = "csrss.exe", parent = 616, session = 1, threads = 11, gui = true, csrss = true}
local winlogon = process{name = "winlogon.exe", parent = 616, session = 1, threads = 4, gui = true}
local services = process{name = "services.exe", parent = wininit, session = 0, threads = 6}
local lsass = process{name = "lsass.exe", parent = wininit, session = 0, threads = 7}
for i = 1, 5 do
	process{name = "svchost.exe", parent = services, session = 0, threads = 4 + i, gui = i == 2}
end
if has("_EPROCESS.Protection") then
	process{name = "MemCompression", parent = system, minimal = true, threads = 8, protection = 0x72,
		role = "memory-compression"}
end
local spoolsv = process{name = "spoolsv.exe", parent = services, session = 0, threads = 5}
local dwm = process{name = "dwm.exe", parent = winlogon, session = 1, threads = 9, gui = true}
local explorer = process{name = "explorer.exe", parent = 2204, session = 1, threads = 24, gui = true,
	path = "\\Device\\HarddiskVolume3\\Windows\\explorer.exe"}
local notepad = process{name = "notepad.exe", parent = explorer, session = 1, threads = 2, gui = true}
local old = process{name = "setup.exe", parent = explorer, session = 1, threads = 2, wow64 = true, gui = true,
	path = "\\Device\\HarddiskVolume3\\Users\\user\\Downloads\\setup.exe"}
run(0, notepad.threads[1])
run(1, explorer.threads[3])
clean()
