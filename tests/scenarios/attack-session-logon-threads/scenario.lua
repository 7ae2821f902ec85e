-- SPDX-License-Identifier: Apache-2.0
-- The same, and the record is wiped: it has more threads than one that is being created.
local first = process{name = "csrss.exe", parent = 504, session = 0, threads = 5, user = "system", csrss = true}
local services = process{name = "services.exe", parent = 504, session = 0, threads = 3}
local smss = process{name = "smss.exe", parent = 4, threads = 2}
local m = desktop()
local csrss = process{name = "csrss.exe", parent = 600, session = 2, threads = 6, user = "system", csrss = true}
process{name = "winlogon.exe", parent = 600, session = 2, threads = 2, user = "system"}
local p = process{name = "app.exe", parent = 600, session = 2, threads = 2, user = "system"}
for _, thread in ipairs(p.threads) do suspend(thread) end
csr_unlink(p)
csr_set(p, "pid", 0)
breaks("S01")
