-- SPDX-License-Identifier: Apache-2.0
-- The exception port is gone, where nobody has verified that csrss sets it.
local m = desktop()
set(m.notepad, "_EPROCESS.ExceptionPortData", 0)
