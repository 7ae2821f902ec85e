-- SPDX-License-Identifier: Apache-2.0
-- A path that lies in its first twelve characters only, and is nobody's.
local m = desktop()
peb(m.notepad, {image_path = "C:\\Windxws\\System32\\notepad.exe"})
breaks("I05")
