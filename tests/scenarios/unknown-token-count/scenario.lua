-- SPDX-License-Identifier: Apache-2.0
-- A hundred tokens more are counted than can be found: they may be paged out.
desktop()
local type = object_type("Token")
set(type, "_OBJECT_TYPE.TotalNumberOfObjects", get(type, "_OBJECT_TYPE.TotalNumberOfObjects") + 100)
clean()
