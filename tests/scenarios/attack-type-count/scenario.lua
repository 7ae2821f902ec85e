-- SPDX-License-Identifier: Apache-2.0
-- Both counters are forged: one beneath what exists, one far above.
local m = desktop()
local process, thread = object_type("Process"), object_type("Thread")
set(process, "_OBJECT_TYPE.TotalNumberOfObjects", get(process, "_OBJECT_TYPE.TotalNumberOfObjects") - 1)
breaks("L13")
set(thread, "_OBJECT_TYPE.TotalNumberOfObjects", get(thread, "_OBJECT_TYPE.TotalNumberOfObjects") + 40)
breaks("T14")
