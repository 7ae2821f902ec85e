-- SPDX-License-Identifier: Apache-2.0
-- The bytes of System's token stand in pool of the attacker's, and a process points there: no object.
local m = desktop()
set(m.cmd, "_EPROCESS.Token", copy_token(token_of(m.system)))
breaks("K01")
