-- SPDX-License-Identifier: Apache-2.0
-- A program that nobody told csrss of is suspended, as one that is being created is: its loader has run.
local first = process{name = "csrss.exe", parent = 504, session = 0, threads = 5, user = "system", csrss = true}
local services = process{name = "services.exe", parent = 504, session = 0, threads = 3}
local smss = process{name = "smss.exe", parent = 4, threads = 2}
local m = desktop()
session(2, {state = "initialized"})
local csrss = process{name = "csrss.exe", parent = 600, session = 2, threads = 6, user = "system", csrss = true}
process{name = "winlogon.exe", parent = 600, session = 2, threads = 2, user = "system"}
local p = process{name = "app.exe", parent = 600, session = 2, threads = 1, user = "system", registered = false}
suspend(p.threads[1])
breaks("S01")
