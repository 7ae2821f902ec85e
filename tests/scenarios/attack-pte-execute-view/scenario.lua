-- SPDX-License-Identifier: Apache-2.0
-- The bit that forbids to execute is cleared in the PTE of a view of a file that was mapped to be read.
local m = desktop()
local at = map_file(m.notepad, "C:\\Users\\user\\data.bin", {bytes = string.rep("\x90", 4096)})
set_pte(m.notepad, at, {execute = true})
breaks("M07")
