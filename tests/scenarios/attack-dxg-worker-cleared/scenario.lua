-- SPDX-License-Identifier: Apache-2.0
-- The worker of a virtual machine leads to no DXGPROCESS any more; those that it had besides are left over.
local m = desktop()
local worker = process{name = "vmwp.exe", parent = m.system, session = 0, threads = 4, gui = true, user = "system"}
set(worker, "_EPROCESS.VmContext", worker.address)
for i = 1, 3 do make_dxgprocess(worker) end
set(worker, "_EPROCESS.DxgProcess", 0)
breaks("S07")
