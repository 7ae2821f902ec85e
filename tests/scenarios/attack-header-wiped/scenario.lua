-- SPDX-License-Identifier: Apache-2.0
-- The object header of a listed process is wiped, so that scans of headers do not find it.
local m = desktop()
wipe_header(m.notepad)
breaks("L12", "L20")
