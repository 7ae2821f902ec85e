-- SPDX-License-Identifier: Apache-2.0
-- Installers delete their own program while it runs: the stream is renamed, and the file deleted through another object. Of the one the
-- object by which it asked is still open, of the other no handle is left. The section's object is not the one that was asked through.
local m = desktop()
local path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\"
local open_still = process{name = "setup.exe", path = path .. "setup.exe", parent = m.explorer, session = 1, threads = 2}
open_file(open_still, path .. "setup.exe", {delete = true, pending = true})
local closed = process{name = "update.exe", path = path .. "update.exe", parent = m.explorer, session = 1, threads = 2}
rename_file(closed, "\\Users\\user\\AppData\\Local\\Temp\\update.exe:gone")
close(closed, (open_file(closed, path .. "update.exe", {delete = true, pending = true})))
excused("I03")
clean()
