-- SPDX-License-Identifier: Apache-2.0
-- The pool tags of listed processes are wiped, so that scanners of tags miss them.
machine{kernel = "9600"}
local m = desktop()
for _, process in ipairs{m.smss, m.csrss, m.winlogon, m.notepad, m.cmd, m.explorer} do
	wipe_tag(process)
end
breaks("L14")
