-- SPDX-License-Identifier: Apache-2.0
-- A system that keeps lists of all objects of each type: every object has an OBJECT_HEADER_CREATOR_INFO on one.
machine{type_lists = true}
local m = desktop()
local brief = process{name = "brief.exe", parent = m.cmd, session = 1, threads = 2}
exit(brief)
delete(brief)
end_thread(m.explorer.threads[2], {deleted = true})
-- The list of processes has System, the six of the desktop and no more.
local count, head = 0, at(object_type("Process"), "_OBJECT_TYPE.TypeList")
local entry = peek(head)
while entry ~= head do
	assert(peek(entry + 8) ~= 0)
	count, entry = count + 1, peek(entry)
end
assert(count == 7)
run(0, m.notepad.threads[1])
clean()
