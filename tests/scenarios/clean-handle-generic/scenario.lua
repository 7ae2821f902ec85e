-- SPDX-License-Identifier: Apache-2.0
-- The kernel opened something for itself, and its handle has a generic right.
machine{kernel = "7601"}
local m = desktop()
open(m.system, m.cmd, 0x10000000)
excused("H01")
clean()
