-- SPDX-License-Identifier: Apache-2.0
-- A process without a token that pretends to be deleted: its threads say otherwise.
local m = desktop()
set(m.cmd, "_EPROCESS.Token", 0)
set(m.cmd, "_EPROCESS.ProcessInserted", 0)
set(m.cmd, "_EPROCESS.ExitTime", image_time() - seconds(5))
breaks("K01")
