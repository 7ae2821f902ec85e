-- SPDX-License-Identifier: Apache-2.0
-- Two threads have the same kernel stack: the second is a copy of the first.
local m = desktop()
local from, to = m.notepad.threads[1], m.explorer.threads[1]
for _, field in ipairs{"StackLimit", "StackBase", "InitialStack", "KernelStack", "TrapFrame"} do
	set(to, "_KTHREAD." .. field, get(from, "_KTHREAD." .. field))
end
breaks("T09")
