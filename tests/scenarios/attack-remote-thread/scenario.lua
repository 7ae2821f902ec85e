-- SPDX-License-Identifier: Apache-2.0
-- VirtualAllocEx, WriteProcessMemory, CreateRemoteThread: a thread is to run private memory. A compiler at run time does the same in
-- its own process, so this is an observation.
local m = desktop()
local code = alloc(m.explorer, {size = 0x2000, protect = "rwx", bytes = "\x48\x83\xec\x28\xc3"})
thread(m.explorer, {start = code})
