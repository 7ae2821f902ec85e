-- SPDX-License-Identifier: Apache-2.0
-- A run time switches stacks, and tells the TEB nothing: an observation, for a pivoted stack looks the same.
local m = desktop()
fiber(m.notepad.threads[1], {teb = false})
clean()
