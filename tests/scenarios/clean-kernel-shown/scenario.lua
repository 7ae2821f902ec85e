-- SPDX-License-Identifier: Apache-2.0
-- The kernel shows user mode a second page beside KUSER_SHARED_DATA, as it does with the hypervisor's clock.
local m = desktop()
show(m.notepad, {kernel = m.explorer, at = 0x7ffe4000})
clean()
