-- SPDX-License-Identifier: Apache-2.0
-- ExitStatus is final while threads run.
local m = desktop()
set(m.notepad, "_EPROCESS.ExitStatus", 0)
breaks("X03")
