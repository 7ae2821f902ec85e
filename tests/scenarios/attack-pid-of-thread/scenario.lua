-- SPDX-License-Identifier: Apache-2.0
-- A process claims the identifier of a thread.
local m = desktop()
set(m.notepad, "_EPROCESS.UniqueProcessId", m.explorer.threads[2].tid)
breaks("L16")
