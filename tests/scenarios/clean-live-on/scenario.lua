-- SPDX-License-Identifier: Apache-2.0
-- A machine goes on after such a life: a desktop starts, and processes end.
live{operations = 200}
local m = desktop()
exit(m.cmd)
local last = process{name = "last.exe", parent = m.explorer, session = 1, threads = 2}
end_thread(last.threads[1])
exit(m.notepad)
delete(m.notepad)
clean()
