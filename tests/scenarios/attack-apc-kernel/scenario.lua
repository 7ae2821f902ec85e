-- SPDX-License-Identifier: Apache-2.0
-- A driver that no list of modules shows injects by APC: the routine of the kernel is its own.
local m = desktop()
local physical, code = page()
queue_apc(m.notepad.threads[1], {kernel_routine = code + 0x100, mode = "kernel"})
breaks("T13")
