-- SPDX-License-Identifier: Apache-2.0
-- A child breaks away from the job of its parent, as some jobs allow.
local m = desktop()
local parent = process{name = "parent.exe", parent = m.explorer, session = 1, threads = 2}
local job = job{parent}
process{name = "one.exe", parent = parent, session = 1}
process{name = "two.exe", parent = parent, session = 1}

process{name = "away.exe", parent = parent, session = 1, breakaway = true}
local nested = process{name = "nested.exe", parent = parent, session = 1, breakaway = true}
_G.job({nested}, job)
clean()
