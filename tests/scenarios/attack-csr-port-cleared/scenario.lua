-- SPDX-License-Identifier: Apache-2.0
-- The exception port is gone; csrss has the process on its list.
local m = desktop()
set(m.notepad, "_EPROCESS.ExceptionPortData", 0)
breaks("S04")
