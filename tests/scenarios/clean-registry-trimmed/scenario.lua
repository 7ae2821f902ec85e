-- SPDX-License-Identifier: Apache-2.0
-- Of one hive some pages are not in memory, as on most machines; of the other none is.
local m = desktop()
local profiles, services = {}, {}
for rid = 1001, 1060 do
	profiles["S-1-5-21-2711839914-1380451206-3127884101-" .. rid] = "C:\\Users\\user" .. rid
	services[#services + 1] = "Service" .. rid
end
local software, system = registry(profiles, services)
if software then
	trim_hive(software, 0x1000, 0x3000)
	trim_hive(system)
end
clean()
