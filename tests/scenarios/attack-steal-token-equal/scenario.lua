-- SPDX-License-Identifier: Apache-2.0
-- The token of a process of the same session: neither can be proved to be its owner.
local m = desktop()
steal_token(m.notepad, m.winlogon)
breaks("K02")
