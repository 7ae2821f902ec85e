-- SPDX-License-Identifier: Apache-2.0
-- The process that takes hard errors for the whole system is another than the owner of the port.
machine{cpus = 2}
process{name = "csrss.exe", parent = 504, session = 0, threads = 5, csrss = true}
local services = process{name = "services.exe", parent = 504, session = 0, threads = 3}
for i = 1, 4 do
	process{name = "svchost.exe", parent = services, session = 0, threads = 1 + i}
end
if symbol("ExpDefaultErrorPortProcess") then
	write(symbol("ExpDefaultErrorPortProcess"), string.pack("<I8", services.address))
elseif symbol("PspHostSiloGlobals") and has("_ESERVERSILO_GLOBALS.ExpDefaultErrorPortProcess") then
	set(symbol("PspHostSiloGlobals"), "_ESERVERSILO_GLOBALS.ExpDefaultErrorPortProcess", services)
end
breaks("S09")
