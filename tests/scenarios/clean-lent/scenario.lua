-- SPDX-License-Identifier: Apache-2.0
-- A driver maps a page of its own for user mode to write to, in a range for memory of devices.
local m = desktop()
show(m.notepad, {kernel = m.explorer, write = true})
clean()
