-- SPDX-License-Identifier: Apache-2.0
-- A process points at the token of a service of its own session's user, and at one of another user's session.
local m = desktop()
local service = process{name = "svchost.exe", parent = 600, session = 0, threads = 2, user = "networkservice"}
steal_token(m.notepad, service)
breaks("K02", "K03")
