-- SPDX-License-Identifier: Apache-2.0
-- A token with an identifier that was not handed out yet, and one with that of another.
local m = desktop()
set(token_of(m.cmd), "_TOKEN.TokenId", 0x7ffffff)
breaks("K09")
set(token_of(m.notepad), "_TOKEN.TokenId", get(token_of(m.explorer), "_TOKEN.TokenId"))
breaks("K09")
