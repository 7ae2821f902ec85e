-- SPDX-License-Identifier: Apache-2.0
-- A CPU uses other page tables than its thread's process has. Only registers read from the CPU itself prove it.
local system = find(4)
local smss = process{name = "smss.exe", parent = system, threads = 2}
local csrss = process{name = "csrss.exe", parent = 504, session = 1, threads = 6, gui = true}
local winlogon = process{name = "winlogon.exe", parent = 504, session = 1, threads = 3, gui = true}
local explorer = process{name = "explorer.exe", parent = 2204, session = 1, threads = 8, gui = true}
local notepad = process{name = "notepad.exe", parent = explorer, session = 1, threads = 3, gui = true}
local cmd = process{name = "cmd.exe", parent = explorer, session = 1, threads = 2}
run(0, notepad.threads[1])
set(prcb(0), "_KPRCB.Cr3", cmd.dtb)
breaks("T07")
