-- SPDX-License-Identifier: Apache-2.0
-- The stack of a thread that waits long is swapped out.
local m = desktop()
set(m.explorer.threads[3], "_KTHREAD.KernelStackResident", 0)
set(m.explorer.threads[3], "_KTHREAD.KernelStack", 0)
excused("T09")
clean()
