-- SPDX-License-Identifier: Apache-2.0
-- A process that has left its container passes for one that has exited; it has threads.
machine{kernel = "22000"}
local m = desktop()
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local silo = _G.silo{smss}
local app = process{name = "app.exe", parent = smss, session = 2, threads = 2}
set(app, "_EPROCESS.ServerSilo", 0)
set(app, "_EPROCESS.ExitTime", image_time())
breaks("S11")
