-- SPDX-License-Identifier: Apache-2.0
-- A liar whose second root is not its own pretends that both were given back; its threads wait.
machine{kva_shadow = true}
local m = desktop()
run(0, m.explorer.threads[1])
local liar = process{name = "liar.exe", parent = m.explorer, session = 1, threads = 2}
unlink(liar, "active")
set(liar, "_EPROCESS.ProcessInserted", 0)
set(liar, "_EPROCESS.ActiveThreads", 0)
set(liar.address - 0x30, "_OBJECT_HEADER.PointerCount", 0)
if has("_KPROCESS.UserDirectoryTableBase") then
	set(liar, "_KPROCESS.UserDirectoryTableBase", (page()))
	breaks("M04")
end
