-- SPDX-License-Identifier: Apache-2.0
-- The same with SeTcbPrivilege, which would excuse it: it is more than such a user has.
local m = desktop()
local token = token_of(m.notepad)
overwrite_token(m.notepad, {session = 0, present = get(token, "_TOKEN.Privileges.Present") | 0x80})
breaks("K05")
