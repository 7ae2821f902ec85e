-- SPDX-License-Identifier: Apache-2.0
-- A hidden process must still get a CPU: its thread is ready.
local m = desktop()
ready(m.notepad.threads[1], {queue = "shared"})
unlink(m.notepad)
breaks("T08", "L15")
