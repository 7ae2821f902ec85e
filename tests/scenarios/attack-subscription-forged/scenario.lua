-- SPDX-License-Identifier: Apache-2.0
-- The context of WNF of one process names another.
machine{kernel = "22000"}
local m = desktop()
forge_backlink(subscribe(m.notepad), m.explorer)
breaks("S12")
