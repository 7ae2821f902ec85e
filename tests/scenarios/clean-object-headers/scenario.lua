-- SPDX-License-Identifier: Apache-2.0
-- Every object has every optional header between its pool header and its OBJECT_HEADER; one job has a name.
machine{all_headers = true}
live{operations = 60}
local m = desktop()
job({m.notepad}, nil, "work")
freed{name = "setup.exe", parent = m.explorer, session = 1}
local brief = process{name = "brief.exe", parent = m.cmd, session = 1, threads = 2}
exit(brief)
delete(brief)
process{name = "updater.exe", parent = m.explorer, session = 1, state = "zombie"}
run(0, m.notepad.threads[1])
clean()
