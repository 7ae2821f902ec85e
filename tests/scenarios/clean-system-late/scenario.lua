-- SPDX-License-Identifier: Apache-2.0
-- System gets its CreateTime when the boot is nearly over; its first threads are older.
local m = desktop()
set(m.system.threads[2], "_ETHREAD.CreateTime", m.system.created - seconds(2))
excused("T15")
clean()
