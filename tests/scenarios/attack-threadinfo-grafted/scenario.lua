-- SPDX-License-Identifier: Apache-2.0
-- A thread that never made a USER call shows another's THREADINFO.
local m = desktop()
local t = m.cmd.threads[1]
set(t, "_KTHREAD.Win32Thread", threadinfo(m.explorer.threads[1]))
set(t, "_KTHREAD.GuiThread", 1)
breaks("S06")
