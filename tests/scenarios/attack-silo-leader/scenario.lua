-- SPDX-License-Identifier: Apache-2.0
-- The globals of a container name a process of the host as the leader of its sessions.
machine{kernel = "22000"}
local m = desktop()
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local silo = _G.silo{smss}
local app = process{name = "app.exe", parent = smss, session = 2, threads = 2}
leaders(silo, m.cmd)
set(m.cmd, "_EPROCESS.ServerSilo", 0)
breaks("S11")
