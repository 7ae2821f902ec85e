-- SPDX-License-Identifier: Apache-2.0
-- A process acts by a token that nobody refers to.
local m = desktop()
local token = token_of(m.cmd)
write(token - 0x30, string.pack("<I8", 0))
set(m.cmd, "_EPROCESS.Token", token)
breaks("K01")
