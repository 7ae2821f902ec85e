-- SPDX-License-Identifier: Apache-2.0
-- The process shows another's DXGPROCESS for its own.
local m = desktop()
set(m.notepad, "_EPROCESS.DxgProcess", dxgprocess(m.explorer))
breaks("S07")
