-- SPDX-License-Identifier: Apache-2.0
-- System gets its times two seconds later than the processes that it creates first.
local m = desktop()
set(m.system, "_EPROCESS.CreateTime", m.system.created + seconds(4))
set(m.system, "_EPROCESS.CreateInterruptTime", m.system.created + seconds(4) - boot_time())
excused("P02")
clean()
