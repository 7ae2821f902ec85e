-- SPDX-License-Identifier: Apache-2.0
-- The same, and the process passes for a snapshot, which has the memory of another and never had a thread: its threads are hidden.
local m = desktop()
forget_windows(m.notepad)
hide_threads(m.notepad)
breaks("X05")
