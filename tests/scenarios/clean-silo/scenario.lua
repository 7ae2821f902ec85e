-- SPDX-License-Identifier: Apache-2.0
-- A container with its own session manager and csrss, and a job within it; another one that has just been made.
machine{kernel = "22000"}
local m = desktop()
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local silo = _G.silo{smss}
local csrss = process{name = "csrss.exe", parent = smss, session = 2, threads = 3}
local app = process{name = "app.exe", parent = smss, session = 2, threads = 2}
job({app}, silo)
process{name = "child.exe", parent = app, session = 2, threads = 1}
process{name = "old.exe", parent = app, session = 2, state = "zombie"}
leaders(silo, smss, csrss)
leaders(nil, m.smss, m.csrss)
_G.silo{}
clean()
