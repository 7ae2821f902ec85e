-- SPDX-License-Identifier: Apache-2.0
-- A driver puts a routine of its own where the kernel opens processes.
desktop()
set(object_type("Process"), "_OBJECT_TYPE.TypeInfo.OpenProcedure", routine("fltguard.sys"))
breaks("H03")
