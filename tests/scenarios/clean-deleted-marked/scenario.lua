-- SPDX-License-Identifier: Apache-2.0
-- The same as an installer that deletes itself, on a file system that marks every object of a file which is to be deleted. Whether any
-- does is not verified; so the mark on an object that nobody could have asked through is shown, and proves nothing.
local m = desktop()
local path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\setup.exe"
local p = process{name = "setup.exe", path = path, parent = m.explorer, session = 1, threads = 2}
open_file(p, path, {delete = true, pending = true})
local section = get(p, "_EPROCESS.SectionObject")
local area = has("_SECTION.ControlArea") and get(section, "_SECTION.ControlArea")
	or get(get(section, "_SECTION_OBJECT.Segment"), "_SEGMENT.ControlArea")
set(get(area, "_CONTROL_AREA.FilePointer") & ~0xf, "_FILE_OBJECT.DeletePending", 1)
