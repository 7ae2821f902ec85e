-- SPDX-License-Identifier: Apache-2.0
-- Off the list of its job, with links of zeros as of one that is just being assigned: the job counts it still.
local m = desktop()
local shared = job{m.explorer, m.notepad}
if shared then
	unlink(m.notepad, "job")
	write(at(m.notepad, "_EPROCESS.JobLinks"), ("\0"):rep(16))
	breaks("S10")
end
