-- SPDX-License-Identifier: Apache-2.0
-- A token is planted on a thread, and the flag is forgotten.
local m = desktop()
plant_token(m.notepad.threads[2], token_of(m.system), {flag = false})
breaks("K07")
