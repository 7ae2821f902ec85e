-- SPDX-License-Identifier: Apache-2.0
-- Open keys, files on several devices, two hives: what has a name by the registry and by the directory of devices.
local m = desktop()
local services = {"Dnscache", "TrustedInstaller", "WinDefend", "EventLog", "Schedule", "lmhosts"}
for i = 1, 60 do
	services[#services + 1] = string.format("Driver%02d", i)
end
registry({
	["S-1-5-18"] = "%systemroot%\\system32\\config\\systemprofile",
	["S-1-5-19"] = "%systemroot%\\ServiceProfiles\\LocalService",
	["S-1-5-20"] = "%systemroot%\\ServiceProfiles\\NetworkService",
	["S-1-5-21-2711839914-1380451206-3127884101-1001"] = "C:\\Users\\Jane",
	["S-1-5-21-2711839914-1380451206-3127884101-1002"] = "C:\\Users\\guest.INVAR",
}, services)
process{name = "svchost.exe", parent = 600, session = 0, threads = 2, user = "networkservice", service = "Dnscache"}
process{name = "TrustedInstaller.exe", parent = 600, session = 0, threads = 2, user = "system", service = "TrustedInstaller"}
process{name = "svchost.exe", parent = 600, session = 0, threads = 2, user = "localservice", service = "NotInstalled"}
process{name = "calc.exe", parent = m.explorer, session = 1, threads = 2, user = "user"}
for _, path in ipairs{"\\REGISTRY", "\\REGISTRY\\MACHINE", "\\REGISTRY\\MACHINE\\SOFTWARE",
	"\\REGISTRY\\MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run",
	"\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\Dnscache",
	"\\REGISTRY\\USER\\S-1-5-21-2711839914-1380451206-3127884101-1001\\Software\\Classes"} do
	local object = key(path)
	if object then
		open(m.explorer, object, 0x20019)
	end
end
local wide = key("\\REGISTRY\\MACHINE\\SOFTWARE\\Wide", {wide = true})
if wide then
	open(m.explorer, wide, 0x20019)
end
open_file(m.explorer, "C:\\Windows\\explorer.exe")
open_file(m.explorer, "\\Device\\HarddiskVolume5\\work\\notes.txt")
open_file(m.explorer, "\\Device\\NamedPipe\\lsass")
clean()
