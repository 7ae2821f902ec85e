-- SPDX-License-Identifier: Apache-2.0
-- A driver made a type of objects, with methods of its own.
desktop()
register("type", "FLTMGR.SYS")
clean()
