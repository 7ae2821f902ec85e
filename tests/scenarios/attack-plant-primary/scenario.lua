-- SPDX-License-Identifier: Apache-2.0
-- A thread impersonates by the primary token of System.
local m = desktop()
plant_token(m.notepad.threads[2], token_of(m.system))
breaks("K07")
