-- SPDX-License-Identifier: Apache-2.0
-- System claims to have been created twenty minutes after the boot.
local m = desktop()
pass(3600)
set(m.system, "_EPROCESS.CreateTime", m.system.created + seconds(1200))
set(m.system, "_EPROCESS.CreateInterruptTime", m.system.created + seconds(1200) - boot_time())
breaks("P02", "P07")
