-- SPDX-License-Identifier: Apache-2.0
-- The routine is ntdll's, as that of every APC of QueueUserAPC; what it is to call is not.
local m = desktop()
local code = alloc(m.explorer, {size = 0x1000, protect = "rwx", bytes = "\xc3"})
queue_apc(m.explorer.threads[1], {routine = module(m.explorer, "ntdll.dll", "RtlExitUserThread"), context = code})
