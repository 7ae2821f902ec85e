-- SPDX-License-Identifier: Apache-2.0
-- The label is made one of System, and nobody made the hash anew.
local m = desktop()
overwrite_token(m.cmd, {integrity = 0x4010})
breaks("K06")
