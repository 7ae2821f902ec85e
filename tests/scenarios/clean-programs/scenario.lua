-- SPDX-License-Identifier: Apache-2.0
-- Programs whose path has another form: of csrss and smss, of a 32-bit one, of one that stands still, of one whose file is in the
-- cache.
local m = desktop()
local p = process{name = "app.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\app.exe", parent = m.explorer, session = 1, threads = 2}
peb(m.csrss, {image_path = "\\??\\C:\\Windows\\system32\\csrss.exe"})
peb(m.smss, {image_path = "\\SystemRoot\\System32\\smss.exe"})
process{name = "app32.exe", path = "\\Device\\HarddiskVolume3\\Windows\\SysWOW64\\app32.exe", parent = m.explorer, session = 1, threads = 2, wow64 = true}
freeze(process{name = "store.exe", parent = m.explorer, session = 1, threads = 3})
map_file(m.explorer, "C:\\Users\\user\\AppData\\Local\\Temp\\app.exe", {})
clean()
