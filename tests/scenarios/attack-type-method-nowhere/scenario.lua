-- SPDX-License-Identifier: Apache-2.0
-- What is called when a thread is deleted stands in pool.
desktop()
local _, code = page()
set(object_type("Thread"), "_OBJECT_TYPE.TypeInfo.DeleteProcedure", code)
breaks("H03")
