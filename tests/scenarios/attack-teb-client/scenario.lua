-- SPDX-License-Identifier: Apache-2.0
-- A TEB says that its thread is that of another process.
local m = desktop()
local teb = m.notepad.threads[2].teb
write_memory(m.notepad, at(teb, "_TEB.ClientId.UniqueProcess"), string.pack("<I8", m.explorer.pid))
breaks("T11")
