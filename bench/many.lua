-- SPDX-License-Identifier: Apache-2.0
-- A server with as many processes, threads and handles as the benchmark wants: `memory`, `processes`, `threads`, `handles`; with so
-- many DLLs (`modules`) and so much memory of its own (`private`, 0: none) in each.
machine{cpus = 8, memory = memory}
local system = find(4)
process{name = "smss.exe", parent = system, threads = 2}
local wininit = process{name = "wininit.exe", parent = 500, session = 0, threads = 1}
local services = process{name = "services.exe", parent = wininit, session = 0, threads = 2}
local workers, objects = {}, {}
for i = 1, processes do
	local worker = process{name = "worker.exe", parent = services, session = 0, threads = threads, modules = modules}
	if private > 0 then
		alloc(worker, {size = private})
	end
	workers[i] = worker
	objects[#objects + 1] = worker
	for _, thread in ipairs(worker.threads) do
		objects[#objects + 1] = thread
	end
end
-- Handles lead all over memory.
local next = 0
for _, worker in ipairs(workers) do
	for _ = 1, handles do
		next = (next + 7919) % #objects
		open(worker, objects[next + 1])
	end
end
clean()
