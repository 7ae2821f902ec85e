-- SPDX-License-Identifier: Apache-2.0
-- The process is off ActiveProcessLinks; its threads still name it.
local m = desktop()
unlink(m.notepad)
breaks("L15")
