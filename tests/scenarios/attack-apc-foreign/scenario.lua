-- SPDX-License-Identifier: Apache-2.0
-- An APC on a thread's queue is for another thread: linked by hand.
local m = desktop()
local apc = queue_apc(m.notepad.threads[1], {routine = module(m.notepad, "ntdll.dll", "NtTestAlert")})
set(apc, "_KAPC.Thread", m.explorer.threads[1])
breaks("T13")
