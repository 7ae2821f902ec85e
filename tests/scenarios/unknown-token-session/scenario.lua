-- SPDX-License-Identifier: Apache-2.0
-- A service with SeTcbPrivilege set the session of its token.
local m = desktop()
local service = process{name = "svchost.exe", parent = 600, session = 0, threads = 2}
set(token_of(service), "_TOKEN.SessionId", 1)
