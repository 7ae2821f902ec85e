-- SPDX-License-Identifier: Apache-2.0
-- The header of a crash dump names another list head than memory does.
local m = desktop()
header{ps_active_process_head = symbol("PsActiveProcessHead") + 0x100}
breaks("L18")
