-- SPDX-License-Identifier: Apache-2.0
-- A process of the host names a job as its container that is none.
machine{kernel = "22000"}
local m = desktop()
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local silo = _G.silo{smss}
local app = process{name = "app.exe", parent = smss, session = 2, threads = 2}
set(m.cmd, "_EPROCESS.ServerSilo", job{m.cmd})
breaks("S11")
