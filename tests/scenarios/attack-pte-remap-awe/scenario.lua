-- SPDX-License-Identifier: Apache-2.0
-- The ranges claim to be for AWE and for large pages, and what is mapped there are private pages of another process.
local m = desktop()
for _, kind in ipairs{3, 5} do
	local at = alloc(m.notepad, {bytes = "mine"})
	local theirs = alloc(m.winlogon, {bytes = "a secret"})
	set_vad(m.notepad, at, {type = kind})
	set_pte(m.notepad, at, {to = m.winlogon, at = theirs})
	breaks("M05")
end
