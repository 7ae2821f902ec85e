-- SPDX-License-Identifier: Apache-2.0
-- A DLL that is on no list of the loader, and whose range is taken out of the tree: the section still lists it as a view.
local m = desktop()
local base = load(m.notepad, "implant.dll", {link = false})
load(m.explorer, "implant.dll")
unlink_vad(m.notepad, base, {count = true, hint = true})
breaks("M06", "M09")
