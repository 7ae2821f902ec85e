-- SPDX-License-Identifier: Apache-2.0
-- The same where blocks come from a heap of segments: an observation.
local m = desktop()
local worker = process{name = "vmwp.exe", parent = m.system, session = 0, threads = 4, gui = true, user = "system"}
set(worker, "_EPROCESS.VmContext", worker.address)
for i = 1, 3 do make_dxgprocess(worker) end
set(worker, "_EPROCESS.DxgProcess", 0)
