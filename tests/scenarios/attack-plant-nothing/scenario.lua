-- SPDX-License-Identifier: Apache-2.0
-- A thread impersonates by something that is no token.
local m = desktop()
plant_token(m.notepad.threads[2], m.cmd.address)
breaks("K07")
