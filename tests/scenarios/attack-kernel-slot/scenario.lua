-- SPDX-License-Identifier: Apache-2.0
-- One process has tables of its own for a part of the kernel half, so that it alone sees what is mapped there.
local m = desktop()
for i = 1, 8 do
	process{name = "app" .. i .. ".exe", parent = m.explorer, session = 1}
end
fork_table(m.notepad, m.winlogon)
