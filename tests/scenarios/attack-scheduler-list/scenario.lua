-- SPDX-License-Identifier: Apache-2.0
-- Unlinked from the scheduler's list, though it has threads.
local m = desktop()
unlink(m.notepad, "scheduler")
breaks("L07")
