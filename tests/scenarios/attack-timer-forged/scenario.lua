-- SPDX-License-Identifier: Apache-2.0
-- A timer with a routine blames a thread of another process.
machine{kernel = "22000"}
local m = desktop()
forge_backlink(set_timer(m.notepad.threads[1]), m.explorer.threads[1])
breaks("S12")
