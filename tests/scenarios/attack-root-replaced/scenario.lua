-- SPDX-License-Identifier: Apache-2.0
-- A swapped root hides behind ReplacingPageRoot: the page that is claimed is not a root.
local m = desktop()
set(m.notepad, "_EPROCESS.ReplacingPageRoot", 1)
set(m.notepad, "_KPROCESS.DirectoryTableBase", copy_root(m.notepad, true))
breaks("L05")
