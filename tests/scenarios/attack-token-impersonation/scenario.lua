-- SPDX-License-Identifier: Apache-2.0
-- The primary token of a process is one for impersonation, which no process can have.
local m = desktop()
local token = token{user = "system", session = 1, level = 2}
set(m.cmd, "_EPROCESS.Token", token + 5)
breaks("K01")
