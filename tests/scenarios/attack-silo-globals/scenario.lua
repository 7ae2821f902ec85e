-- SPDX-License-Identifier: Apache-2.0
-- A container has lost its globals, so that the kernel would take its processes for those of the host.
machine{kernel = "22000"}
local m = desktop()
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local silo = _G.silo{smss}
local app = process{name = "app.exe", parent = smss, session = 2, threads = 2}
set(silo, "_EJOB.ServerSiloGlobals", 0)
set(smss, "_EPROCESS.ServerSilo", silo)
set(app, "_EPROCESS.ServerSilo", silo)
breaks("S11")
