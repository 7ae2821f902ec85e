-- SPDX-License-Identifier: Apache-2.0
-- A process that a port names passes for one in creation: it is off the active list, and its flag is clear. It has threads.
machine{kernel = "22000"}
local m = desktop()
port(m.notepad)
unlink(m.notepad)
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
breaks("L15")
