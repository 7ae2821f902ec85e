-- SPDX-License-Identifier: Apache-2.0
-- KDDEBUGGER_DATA64 leads to a list of the attacker's making.
local m = desktop()
local head = symbol("PsActiveProcessHead")
kdbg(0x50, head + 0x100)
breaks("L18")
