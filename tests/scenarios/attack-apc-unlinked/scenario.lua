-- SPDX-License-Identifier: Apache-2.0
-- An APC that was taken off its queue in one direction only.
local m = desktop()
local thread = m.notepad.threads[1]
queue_apc(thread, {routine = module(m.notepad, "ntdll.dll", "NtTestAlert")})
queue_apc(thread, {routine = module(m.notepad, "ntdll.dll", "NtTestAlert")})
local head = at(thread, "_KTHREAD.ApcState.ApcListHead") + 16
set(thread, "_KTHREAD.ApcState.UserApcPending", 0)
write(head, string.pack("<I8", peek(peek(head))))
breaks("T13")
