-- SPDX-License-Identifier: Apache-2.0
-- Session cleared, the flag and the list left.
local m = desktop()
set(m.notepad, "_EPROCESS.Session", 0)
breaks("L04")
