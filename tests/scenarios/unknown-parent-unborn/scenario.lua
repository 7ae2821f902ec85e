-- SPDX-License-Identifier: Apache-2.0
-- The parent is said to be a process that did not exist yet. Other processes have gone since, and any of them may have had that
-- identifier: nothing shows the lie.
local m = desktop()
set(m.notepad, "_EPROCESS.InheritedFromUniqueProcessId", m.cmd.pid)
