-- SPDX-License-Identifier: Apache-2.0
-- Only the forward pointer leads past the process.
local m = desktop()
unlink_half(m.notepad)
breaks("L10")
