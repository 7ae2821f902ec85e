-- SPDX-License-Identifier: Apache-2.0
-- A CPU uses other page tables than its thread's process has. Only registers read from the CPU itself prove it.
local m = desktop()
run(0, m.notepad.threads[1])
set(prcb(0), "_KPRCB.Cr3", m.cmd.dtb)
breaks("T07")
