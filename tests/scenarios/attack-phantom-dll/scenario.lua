-- SPDX-License-Identifier: Apache-2.0
-- Phantom DLL hollowing: a library is mapped from a file that was changed in a transaction.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
load(p, "uncommon.dll")
transact("uncommon.dll")
set(p, "_EPROCESS.Peb", get(p, "_EPROCESS.Peb"))
breaks("I13")
