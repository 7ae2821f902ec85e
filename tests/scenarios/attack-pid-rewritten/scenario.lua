-- SPDX-License-Identifier: Apache-2.0
-- The PID in the EPROCESS is not the one under which it stands.
local m = desktop()
set(m.notepad, "_EPROCESS.UniqueProcessId", m.notepad.pid + 0x10000)
breaks("L16", "L11")
