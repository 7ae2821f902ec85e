-- SPDX-License-Identifier: Apache-2.0
-- The same where blocks come from a heap of segments: an observation.
local m = desktop()
make_dxgprocess(m.notepad)
set(m.notepad, "_EPROCESS.DxgProcess", dxgprocess(m.notepad)) -- as it was: the lie is about this process
