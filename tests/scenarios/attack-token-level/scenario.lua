-- SPDX-License-Identifier: Apache-2.0
-- A thread impersonates at a higher level than its token allows.
local m = desktop()
local thread = m.notepad.threads[1]
impersonate(thread, token{user = "administrator", session = 1, elevated = true, level = 1})
set(thread, "_ETHREAD.ImpersonationData", get(thread, "_ETHREAD.ImpersonationData") | 2)
breaks("K07")
