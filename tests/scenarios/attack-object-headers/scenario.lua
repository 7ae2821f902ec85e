-- SPDX-License-Identifier: Apache-2.0
-- Off the active list, with tag and all optional headers wiped, where every object has all of them: what stands before an object
-- is not needed to see it.
machine{all_headers = true}
local m = desktop()
unlink(m.notepad)
wipe_tag(m.notepad)
wipe_header(m.notepad)
breaks("L01", "L15")
