-- SPDX-License-Identifier: Apache-2.0
-- A driver puts a routine of its own where the kernel parses names of files: among methods of the kernel.
desktop()
local file = peek(symbol("ObTypeIndexTable") + 8 * 10)
set(file, "_OBJECT_TYPE.TypeInfo.ParseProcedure", routine("FLTMGR.SYS"))
breaks("H03")
