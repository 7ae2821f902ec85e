-- SPDX-License-Identifier: Apache-2.0
-- Earlier: the session has nobody but its csrss, and csrss nobody but itself.
local first = process{name = "csrss.exe", parent = 504, session = 0, threads = 5, user = "system", csrss = true}
local services = process{name = "services.exe", parent = 504, session = 0, threads = 3}
local smss = process{name = "smss.exe", parent = 4, threads = 2}
local m = desktop()
session(2, {state = "created"})
local leader = process{name = "smss.exe", parent = smss, threads = 1}
process{name = "csrss.exe", parent = leader, session = 2, threads = 6, user = "system", csrss = true}
leaders(nil, leader)
clean()
