-- SPDX-License-Identifier: Apache-2.0
-- A child of one in a job is being created, and not in the job yet; two elder ones are.
local m = desktop()
local parent = process{name = "parent.exe", parent = m.explorer, session = 1, threads = 2}
job{parent}
process{name = "one.exe", parent = parent, session = 1}
process{name = "two.exe", parent = parent, session = 1}
process{name = "three.exe", parent = parent, session = 1, state = "c1"}
excused("P05")
clean()
