-- SPDX-License-Identifier: Apache-2.0
-- The clock was set back by an hour after two processes had started: both show it.
local m = desktop()
local hour = seconds(3600)
for _, p in ipairs{m.notepad, m.cmd} do
	set(p, "_EPROCESS.CreateTime", image_time() + hour - seconds(10))
	set(p, "_EPROCESS.CreateInterruptTime", image_time() - seconds(10) - boot_time())
	for _, thread in ipairs(p.threads) do
		set(thread, "_ETHREAD.CreateTime", image_time() + hour - seconds(9))
		csr_set(thread, "created", image_time() + hour - seconds(9))
	end
end
excused("P07", "T15")
clean()
