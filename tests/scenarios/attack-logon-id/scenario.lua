-- SPDX-License-Identifier: Apache-2.0
-- A token claims the logon session of LocalSystem, and points at that of its user.
local m = desktop()
set(token_of(m.cmd), "_TOKEN.AuthenticationId", 0x3e7)
breaks("K04", "K06")
