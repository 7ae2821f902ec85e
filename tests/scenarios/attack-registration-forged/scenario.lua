-- SPDX-License-Identifier: Apache-2.0
-- A registration names another process than the one that has the handle to it.
machine{kernel = "22000"}
local m = desktop()
local made = register_provider(m.notepad)
open(m.notepad, made)
forge_backlink(made, m.explorer)
breaks("S12")
