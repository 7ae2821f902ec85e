-- SPDX-License-Identifier: Apache-2.0
-- Process ghosting with two objects of the file: deletion was asked through one, and the section made through the other, by which the
-- program was written. But for that right to write, the records are those of an installer which deletes itself.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
ghost(p, {other = true})
breaks("I07")
