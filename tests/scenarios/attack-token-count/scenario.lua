-- SPDX-License-Identifier: Apache-2.0
-- A thread impersonates with a token that the object manager never made, and so never counted.
local m = desktop()
impersonate(m.notepad.threads[1], token())
local type = object_type("Token")
set(type, "_OBJECT_TYPE.TotalNumberOfObjects", get(type, "_OBJECT_TYPE.TotalNumberOfObjects") - 1)
breaks("L13")
