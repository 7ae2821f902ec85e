-- SPDX-License-Identifier: Apache-2.0
-- Process ghosting that imitates an installer which deletes itself: the file has another name since, and another object by which
-- deletion was asked too. But the object that the section was made through is one that was opened to delete.
local m = desktop()
local path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe"
local p = process{name = "host.exe", path = path, parent = m.explorer, session = 1, threads = 2}
open_file(p, path, {delete = true, pending = true})
rename_file(p, "\\Users\\user\\AppData\\Local\\Temp\\host.exe:gone")
ghost(p)
breaks("I07")
