-- SPDX-License-Identifier: Apache-2.0
-- Who created a protected process has it open with all rights. Whether the kernel leaves a creator so many nobody has verified.
local m = desktop()
local guard = process{name = "guard.exe", parent = m.explorer, session = 1, threads = 2, protection = 0x31}
open(m.explorer, guard)
clean()
