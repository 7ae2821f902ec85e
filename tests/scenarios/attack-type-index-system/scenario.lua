-- SPDX-License-Identifier: Apache-2.0
-- The header of System, by which the decoding of the others is tried, is wiped.
local m = desktop()
forge_type(m.system, 0)
breaks("L12")
