-- SPDX-License-Identifier: Apache-2.0
-- One object more is counted than anything knows: it is being created.
local m = desktop()
for _, name in ipairs{"Process", "Thread"} do
	local type = object_type(name)
	set(type, "_OBJECT_TYPE.TotalNumberOfObjects", get(type, "_OBJECT_TYPE.TotalNumberOfObjects") + 1)
end
clean()
