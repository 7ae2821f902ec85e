-- SPDX-License-Identifier: Apache-2.0
-- A program copies itself to a file that goes with its last handle, and runs that copy, which inherits the handle and deletes the first
-- program.
local m = desktop()
local path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\"
local first = process{name = "setup.exe", path = path .. "setup.exe", parent = m.explorer, session = 1, threads = 2}
local handle, object = open_file(first, path .. "copy.exe", {write = true, on_close = true})
local copy = process{name = "copy.exe", path = path .. "copy.exe", parent = first, session = 1, threads = 2}
duplicate(first, handle, copy)
open_file(copy, path .. "setup.exe", {delete = true, pending = true})
clean()
