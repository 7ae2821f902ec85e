-- SPDX-License-Identifier: Apache-2.0
-- Every kind of token: of services, users, administrators filtered and not, sandboxes; duplicates, impersonation at every level.
local m = desktop()
for i, user in ipairs{"system", "localservice", "networkservice"} do
	process{name = "svchost.exe", parent = 600, session = 0, threads = 2, user = user}
end
process{name = "mmc.exe", parent = m.explorer, session = 1, threads = 2, elevated = true}
process{name = "calc.exe", parent = m.explorer, session = 1, threads = 2, user = "user"}
process{name = "browser.exe", parent = m.explorer, session = 1, threads = 2, integrity = "low"}
process{name = "tab.exe", parent = m.explorer, session = 1, threads = 2, integrity = "untrusted", restricted = true}
process{name = "app.exe", parent = m.explorer, session = 1, threads = 2, appcontainer = true}
local other = process{name = "explorer.exe", parent = 3000, session = 2, threads = 8, user = "user", gui = true}
for level = 0, 3 do
	impersonate(m.explorer.threads[level + 1], token{user = "networkservice", session = 0, level = level})
end
impersonate(m.csrss.threads[1], duplicate_token(token_of(m.notepad), 2))
impersonate(m.csrss.threads[1], nil)
open(m.winlogon, duplicate_token(token_of(m.system)), 0xf01ff)
local runas = process{name = "runas.exe", parent = m.explorer, session = 1, threads = 1}
assign_token(runas, duplicate_token(token_of(other)))
clean()
