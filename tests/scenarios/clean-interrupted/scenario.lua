-- SPDX-License-Identifier: Apache-2.0
-- A thread was preempted while it ran code that a compiler made at run time.
local m = desktop()
local code = alloc(m.notepad, {size = 0x1000, protect = "rx", bytes = "\x90\x90\xc3"})
context(m.notepad.threads[2], {rip = code + 1})
ready(m.notepad.threads[2], {cpu = 0, priority = 8})
excused("T20")
clean()
