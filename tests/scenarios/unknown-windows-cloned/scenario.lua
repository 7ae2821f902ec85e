-- SPDX-License-Identifier: Apache-2.0
-- The same, and the process passes for one that was cloned: such a one may have its parent's memory, and run.
local m = desktop()
forget_windows(m.notepad)
set(m.notepad, "_EPROCESS.CloneRoot", get(m.notepad, "_EPROCESS.ObjectTable"))
