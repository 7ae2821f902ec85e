-- SPDX-License-Identifier: Apache-2.0
-- A live process is signalled as exited, to pass for terminated.
local m = desktop()
set(m.notepad, "_DISPATCHER_HEADER.SignalState", 1)
breaks("X03")
