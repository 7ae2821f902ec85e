-- SPDX-License-Identifier: Apache-2.0
-- A thread that was to run a DLL which was unloaded since, and one that called nothing and waits for its debugger; an APC of that DLL.
local m = desktop()
local base = load(m.notepad, "plugin.dll")
thread(m.notepad, {start = base + 0x1000})
queue_apc(m.notepad.threads[1], {routine = base + 0x1010})
unload(m.notepad, base)
context(m.notepad.threads[2], {rip = 0})
excused("T10", "T12", "T13", "T18", "T20", "T21")
clean()
