-- SPDX-License-Identifier: Apache-2.0
-- A program that was found to be signed as any is protected as Windows' own.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
sign(p, 4)
set(p, "_EPROCESS.Protection", 0x61)
set(p, "_EPROCESS.SignatureLevel", 0x3e)
breaks("I15")
