-- SPDX-License-Identifier: Apache-2.0
-- A file counts handles of what is no process.
machine{kernel = "22000"}
local m = desktop()
local _, shared = open_file(m.explorer, "shared.log")
open(m.notepad, shared)
open(m.cmd, shared)
forge_holding(shared, m.notepad, shared)
breaks("L15")
