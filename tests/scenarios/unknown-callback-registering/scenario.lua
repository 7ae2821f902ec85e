-- SPDX-License-Identifier: Apache-2.0
-- A slot is clear and the count says otherwise, while a thread of System runs: it may be removing the routine. Or somebody did.
local d = desktop()
run(0, d.system.threads[1])
silence("process", 7)
