-- SPDX-License-Identifier: Apache-2.0
-- Identifiers that are used again: what is left of their first owners in freed pool still bears them, and so do the children
-- that the first owners had.
local m = desktop()
local parent = process{name = "parent.exe", parent = m.explorer, session = 1, threads = 3}
local child = process{name = "child.exe", parent = parent, session = 1, threads = 2}
local zombie = process{name = "zombie.exe", parent = parent, session = 1}
local held = zombie.threads[1]
open(m.csrss, zombie)
open(m.csrss, held)
exit(zombie) -- keeps its PID and its thread's TID
local old = {process = parent.pid, thread = parent.threads[2].tid}
exit(parent)
delete(parent)

-- Processes come and go until the first identifiers come round. Some of what comes is kept.
local ids, kept = {}, {}
for i = 1, 200 do
	local p = process{name = "brief-" .. i, parent = m.explorer, session = 1, threads = i % 3 + 1}
	local thread_has_it = false -- the heir is to be a process
	for _, t in ipairs(p.threads) do
		ids[#ids + 1] = {id = t.tid, thread = t}
		thread_has_it = thread_has_it or t.tid == old.process
	end
	ids[#ids + 1] = {id = p.pid, process = p}
	local is_kept = p.pid == old.process or p.pid == old.thread or #p.threads == 3 and #kept < 20
	if is_kept and not thread_has_it then
		kept[#kept + 1] = p
	else
		exit(p)
		delete(p)
	end
end
local again = {}
for _, row in ipairs(ids) do
	for _, id in pairs(old) do
		if row.id == id then
			again[id] = row
		end
	end
	assert(row.id ~= zombie.pid and row.id ~= held.tid)
end
assert(again[old.process] and again[old.thread], "the identifiers did not come round")

-- The PID of a dead parent belongs to a younger process; a thread has the PID of a dead process, a process the TID of a dead
-- thread.
local heir = find(old.process) or process{name = "heir.exe", pid = old.process, parent = m.explorer, session = 1}
assert(heir.created > child.created)
local gone = process{name = "gone.exe", parent = m.cmd, session = 1, threads = 2}
local pid, tid = gone.pid, gone.threads[2].tid
exit(gone)
delete(gone)
thread(m.explorer, {tid = pid})
process{name = "tid.exe", pid = tid, parent = heir, session = 1}
run(0, heir.threads[1])
clean()
