-- SPDX-License-Identifier: Apache-2.0
-- Off the memory manager's list, while everybody else shows the process.
local m = desktop()
unlink(m.notepad, "mm")
breaks("L03", "L17")
