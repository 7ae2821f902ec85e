-- SPDX-License-Identifier: Apache-2.0
-- A process whose threads are all hidden passes for one that has none.
local m = desktop()
hide_threads(m.notepad)
breaks("X05")
