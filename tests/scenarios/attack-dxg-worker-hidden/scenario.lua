-- SPDX-License-Identifier: Apache-2.0
-- The worker of a virtual machine is off every list and out of every table; its DXGPROCESSes name it still.
local m = desktop()
local worker = process{name = "vmwp.exe", parent = m.system, session = 0, threads = 4, gui = true, user = "system"}
set(worker, "_EPROCESS.VmContext", worker.address)
for i = 1, 3 do make_dxgprocess(worker) end
run(0, m.explorer.threads[1])
run(1, nil)
for _, list in ipairs{"active", "scheduler", "session", "handles"} do
	unlink(worker, list)
end
if has("_EPROCESS.MmProcessLinks") then pcall(unlink, worker, "mm") end
for _, thread in ipairs(worker.threads) do
	erase_cid(thread)
end
erase_cid(worker)
breaks("L15")
