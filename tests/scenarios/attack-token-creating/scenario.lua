-- SPDX-License-Identifier: Apache-2.0
-- A process without a token that pretends to be created still.
local m = desktop()
set(m.cmd, "_EPROCESS.Token", 0)
set(m.cmd, "_EPROCESS.ProcessInserted", 0)
breaks("K01")
