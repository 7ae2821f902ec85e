-- SPDX-License-Identifier: Apache-2.0
-- Two logon sessions are on no list: there may be more lists than are known.
local m = desktop()
forge_logon(m.cmd)
forge_logon(m.notepad)
