-- SPDX-License-Identifier: Apache-2.0
-- A TEB leads to a PEB that is made up, so that the process' own code finds other modules.
local m = desktop()
local false_peb = alloc(m.notepad, {size = 0x1000})
write_memory(m.notepad, at(m.notepad.threads[2].teb, "_TEB.ProcessEnvironmentBlock"), string.pack("<I8", false_peb))
breaks("T11")
