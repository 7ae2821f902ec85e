-- SPDX-License-Identifier: Apache-2.0
-- SeDebugPrivilege, and no more than that.
local m = desktop()
local token = token_of(m.cmd)
overwrite_token(m.cmd, {present = get(token, "_TOKEN.Privileges.Present") | 0x100000, enabled = get(token, "_TOKEN.Privileges.Enabled") | 0x100000})
breaks("K05")
