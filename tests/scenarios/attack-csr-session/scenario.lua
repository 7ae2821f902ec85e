-- SPDX-License-Identifier: Apache-2.0
-- A client of csrss pretends to be in no session, and to have no exception port: it is on the list all the same.
local m = desktop()
set(m.notepad, "_EPROCESS.Session", 0)
set(m.notepad, "_EPROCESS.ExceptionPortData", 0)
breaks("L04")
