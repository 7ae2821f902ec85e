-- SPDX-License-Identifier: Apache-2.0
-- A process of a container passes for one of the host.
machine{kernel = "22000"}
local m = desktop()
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local silo = _G.silo{smss}
local app = process{name = "app.exe", parent = smss, session = 2, threads = 2}
set(app, "_EPROCESS.ServerSilo", 0)
breaks("S11")
