-- SPDX-License-Identifier: Apache-2.0
-- And the section's list and count agree with that: the pages are left.
local m = desktop()
local base = load(m.notepad, "implant.dll", {link = false})
load(m.explorer, "implant.dll")
unlink_vad(m.notepad, base, {count = true, hint = true, view = true})
breaks("M06")
