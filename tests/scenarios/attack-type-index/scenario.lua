-- SPDX-License-Identifier: Apache-2.0
-- The header of a process says that it is a job, so that scans of headers pass it by.
local m = desktop()
forge_type(m.notepad, 6)
breaks("L12")
