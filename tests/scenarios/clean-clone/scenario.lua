-- SPDX-License-Identifier: Apache-2.0
-- A snapshot of a process: its image section, no thread, in no subsystem.
local m = desktop()
process{name = "notepad.exe", parent = m.explorer, clone_of = m.notepad, session = 1}
clean()
