-- SPDX-License-Identifier: Apache-2.0
-- Tokens that no process has: of a thread that impersonates, behind a handle, and one that only the kernel refers to. A job that
-- only a handle leads to.
local m = desktop()
impersonate(m.notepad.threads[1], token())
open(m.explorer, token(), 0xf01ff)
token()
freed{name = "gone.exe", parent = m.explorer, session = 1}
local empty = job{}
if empty then
	open(m.explorer, empty, 0x1f003f)
end
clean()
