-- SPDX-License-Identifier: Apache-2.0
-- Off the list of its job, to which it says it belongs.
local m = desktop()
if job{m.explorer, m.notepad} then
	unlink(m.notepad, "job")
	breaks("S10")
end
