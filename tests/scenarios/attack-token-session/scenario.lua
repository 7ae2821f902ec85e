-- SPDX-License-Identifier: Apache-2.0
-- The token of a process is made one for another session.
local m = desktop()
overwrite_token(m.notepad, {session = 0})
breaks("K03")
