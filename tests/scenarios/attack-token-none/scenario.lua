-- SPDX-License-Identifier: Apache-2.0
-- A process without a token that runs.
local m = desktop()
set(m.cmd, "_EPROCESS.Token", 0)
breaks("K01")
