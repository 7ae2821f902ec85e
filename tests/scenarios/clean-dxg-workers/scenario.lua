-- SPDX-License-Identifier: Apache-2.0
-- The workers of two virtual machines have several DXGPROCESSes each; one of them has exited, and those that it had besides are not
-- freed yet.
local m = desktop()
local worker = process{name = "vmwp.exe", parent = m.system, session = 0, threads = 4, gui = true, user = "system"}
set(worker, "_EPROCESS.VmContext", worker.address)
for i = 1, 3 do make_dxgprocess(worker) end
local other = process{name = "vmwp.exe", parent = m.system, session = 0, threads = 2, gui = true, user = "system"}
set(other, "_EPROCESS.VmContext", other.address)
for i = 1, 2 do make_dxgprocess(other) end
exit(other)
excused("S07")
clean()
