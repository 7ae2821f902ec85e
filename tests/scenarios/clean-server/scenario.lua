-- SPDX-License-Identifier: Apache-2.0
-- A server with 2,000 processes, some of them exited, in jobs of fifty.
machine{cpus = 8, memory = "2560M"}
local system = find(4)
process{name = "smss.exe", parent = system, threads = 2}
process{name = "csrss.exe", parent = 500, session = 0, threads = 3, gui = true, csrss = true}
local wininit = process{name = "wininit.exe", parent = 500, session = 0, threads = 1}
local services = process{name = "services.exe", parent = wininit, session = 0, threads = 2}
local members = {}
for i = 1, 1994 do
	local exited = i % 50 == 7
	local p = process{name = "worker.exe", parent = services, session = 0, threads = exited and 0 or 1,
		state = exited and "zombie" or "running"}
	if not exited then
		members[#members + 1] = p
	end
	if #members == 50 then
		job(members)
		members = {}
	end
end
clean()
