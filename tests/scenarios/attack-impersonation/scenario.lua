-- SPDX-License-Identifier: Apache-2.0
-- A thread that impersonates nobody.
local m = desktop()
set(m.notepad.threads[2], "_ETHREAD.ActiveImpersonationInfo", 1)
breaks("K07")
