-- SPDX-License-Identifier: Apache-2.0
-- The process claims another session than the one whose list shows it.
local m = desktop()
local other = process{name = "svchost.exe", parent = 600, session = 0, threads = 2}
set(m.notepad, "_EPROCESS.Session", get(other, "_EPROCESS.Session"))
breaks("L04")
