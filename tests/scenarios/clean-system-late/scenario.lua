-- SPDX-License-Identifier: Apache-2.0
-- System gets its CreateTime when the boot is nearly over; its first threads are older.
local m = desktop()
set(m.system, "_EPROCESS.CreateTime", boot_time() + seconds(5))
for _, thread in ipairs(m.system.threads) do
	set(thread, "_ETHREAD.CreateTime", boot_time() + seconds(3))
end
excused("T15")
clean()
