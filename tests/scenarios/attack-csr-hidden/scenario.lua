-- SPDX-License-Identifier: Apache-2.0
-- Off every list of the kernel's: csrss still has its record.
local m = desktop()
run(0, m.explorer.threads[1])
for _, list in ipairs{"active", "scheduler", "session"} do
	unlink(m.notepad, list)
end
erase_cid(m.notepad)
breaks("L15", "L19")
