-- SPDX-License-Identifier: Apache-2.0
-- Off the list of its session, though it says that it belongs to it.
local m = desktop()
unlink(m.notepad, "session")
breaks("L04")
