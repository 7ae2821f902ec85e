-- SPDX-License-Identifier: Apache-2.0
-- Process doppelganging: the program was written in a transaction that was undone, and the process made from its section.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
transact(p)
breaks("I07")
