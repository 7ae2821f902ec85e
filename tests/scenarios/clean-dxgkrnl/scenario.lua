-- SPDX-License-Identifier: Apache-2.0
-- Everybody on the desktop has made graphics calls; the worker of a virtual machine has several DXGPROCESSes.
local m = desktop()
local worker = process{name = "vmwp.exe", parent = m.system, session = 0, threads = 4, gui = true, user = "system"}
set(worker, "_EPROCESS.VmContext", worker.address)
make_dxgprocess(worker)
make_dxgprocess(worker)
excused("S07")
clean()
