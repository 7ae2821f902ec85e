-- SPDX-License-Identifier: Apache-2.0
-- The same where a freed block may look as one in use: the desktop's list is the proof, the block an observation.
local m = desktop()
set(m.notepad, "_EPROCESS.Win32Process", 0)
for _, t in ipairs(m.notepad.threads) do
	set(t, "_KTHREAD.Win32Thread", 0)
end
breaks("S08")
