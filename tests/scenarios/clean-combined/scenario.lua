-- SPDX-License-Identifier: Apache-2.0
-- Equal pages of two processes were combined.
local m = desktop()
local mine, theirs = alloc(m.notepad, {bytes = "same"}), alloc(m.explorer, {bytes = "same"})
combine(m.notepad, mine, m.explorer, theirs)
clean()
