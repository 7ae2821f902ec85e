-- SPDX-License-Identifier: Apache-2.0
-- The index of the label of integrity leads to a group.
local m = desktop()
set(token_of(m.cmd), "_TOKEN.IntegrityLevelIndex", 1)
breaks("K06")
