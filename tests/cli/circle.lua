-- SPDX-License-Identifier: Apache-2.0
-- Three processes that are each other's parents: without numbers, and with times that contradict each other.
local m = desktop()
local names, all = {"a.exe", "b.exe", "c.exe"}, {}
for i, name in ipairs(names) do
	all[i] = process{name = name, parent = m.explorer, session = 1}
	set(all[i], "_EPROCESS.SequenceNumber", 0)
end
local interrupt, created = {1, 2, 0}, {30, 10, 20}
for i, p in ipairs(all) do
	set(p, "_EPROCESS.CreateInterruptTime", interrupt[i])
	set(p, "_EPROCESS.CreateTime", created[i])
	set(p, "_EPROCESS.InheritedFromUniqueProcessId", all[(i + 1) % 3 + 1].pid)
end
