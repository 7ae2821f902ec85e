-- SPDX-License-Identifier: Apache-2.0
-- A DXGPROCESS in use names a process that leads to another.
local m = desktop()
make_dxgprocess(m.notepad)
set(m.notepad, "_EPROCESS.DxgProcess", dxgprocess(m.notepad)) -- as it was: the lie is about this process
breaks("S07")
