-- SPDX-License-Identifier: Apache-2.0
-- A thread of System starts outside of every module.
local m = desktop()
set(m.system.threads[2], "_ETHREAD.StartAddress", m.system.address + 0x100)
breaks("T10")
