-- SPDX-License-Identifier: Apache-2.0
-- Somebody points at the token that Idle shares with System, and says that that is what Idle does.
local m = desktop()
steal_token(m.notepad, find(0))
breaks("K02")
