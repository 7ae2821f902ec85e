-- SPDX-License-Identifier: Apache-2.0
-- A process that is being created is in the container before it is in the job.
machine{kernel = "22000"}
local m = desktop()
local smss = process{name = "smss.exe", parent = m.smss, threads = 2}
local silo = _G.silo{smss}
local app = process{name = "app.exe", parent = smss, session = 2, threads = 2}
local early = process{name = "early.exe", parent = app, session = 2, state = "c1"}
set(early, "_EPROCESS.ServerSilo", silo)
excused("S11")
clean()
