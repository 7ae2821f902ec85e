-- SPDX-License-Identifier: Apache-2.0
-- More groups are counted than there are, and the label is among those that are not.
local m = desktop()
set(token_of(m.cmd), "_TOKEN.IntegrityLevelIndex", 70000)
breaks("K06")
