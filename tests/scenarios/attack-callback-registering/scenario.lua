-- SPDX-License-Identifier: Apache-2.0
-- A thread of System runs, but it cannot remove more than one routine at a time.
local d = desktop()
run(0, d.system.threads[1])
silence("process")
breaks("C01")
