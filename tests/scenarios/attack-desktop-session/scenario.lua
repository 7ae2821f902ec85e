-- SPDX-License-Identifier: Apache-2.0
-- A process says that it is of another session, and its window is on this one's desktop.
local m = desktop()
local service = process{name = "spoolsv.exe", parent = m.system, session = 0, threads = 2, gui = true, user = "system"}
set(m.notepad, "_EPROCESS.Session", get(service, "_EPROCESS.Session"))
breaks("S08")
