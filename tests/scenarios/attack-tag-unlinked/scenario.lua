-- SPDX-License-Identifier: Apache-2.0
-- Unlinked, and its pool tag wiped.
local m = desktop()
unlink(m.notepad)
wipe_tag(m.notepad)
breaks("L15")
