-- SPDX-License-Identifier: Apache-2.0
-- A process off the active list has threads on a desktop.
local m = desktop()
unlink(m.notepad)
breaks("S08")
