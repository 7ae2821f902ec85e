-- SPDX-License-Identifier: Apache-2.0
-- Who pretends to run a virtual machine may have several; the one it leads to must name it all the same.
local m = desktop()
make_dxgprocess(m.notepad)
set(m.notepad, "_EPROCESS.VmContext", m.notepad.address)
set(m.notepad, "_EPROCESS.DxgProcess", dxgprocess(m.explorer))
breaks("S07")
