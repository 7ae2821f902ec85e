-- SPDX-License-Identifier: Apache-2.0
-- A process points at the token of System: the classic of kernel exploits.
local m = desktop()
steal_token(m.cmd, m.system)
breaks("K02", "K03")
