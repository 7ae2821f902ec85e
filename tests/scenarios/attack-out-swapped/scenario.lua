-- SPDX-License-Identifier: Apache-2.0
-- A swapped root hides behind Outswapped: the page that is claimed is in use.
local m = desktop()
set(m.notepad, "_EPROCESS.Outswapped", 1)
set(m.notepad, "_KPROCESS.DirectoryTableBase", (page()))
breaks("L05")
