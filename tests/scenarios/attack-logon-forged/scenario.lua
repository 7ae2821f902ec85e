-- SPDX-License-Identifier: Apache-2.0
-- A token leads to a logon session that LSA never made.
local m = desktop()
forge_logon(m.cmd, 0x123456)
breaks("K04")
