-- SPDX-License-Identifier: Apache-2.0
-- An exited process of a container has its job still, and is in no container any more.
machine{kernel = "22000"}
local m = desktop()
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local silo = _G.silo{smss}
local app = process{name = "app.exe", parent = smss, session = 2, threads = 2}
local old = process{name = "old.exe", parent = app, session = 2, state = "zombie"}
set(old, "_EPROCESS.ServerSilo", 0)
excused("S11")
clean()
