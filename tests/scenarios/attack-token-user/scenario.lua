-- SPDX-License-Identifier: Apache-2.0
-- The user of a service becomes LocalSystem, and the hash agrees.
local m = desktop()
local service = process{name = "svchost.exe", parent = 600, session = 0, threads = 2, user = "localservice"}
overwrite_token(service, {user = 18, hash = true})
breaks("K06")
