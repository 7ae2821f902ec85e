-- SPDX-License-Identifier: Apache-2.0
-- Every state of creation and deletion at once: c0 to c3, a zombie, d1 and d2.
local m = desktop()
for _, state in ipairs{"c0", "c1", "c2", "c3", "zombie", "d1", "d2"} do
	process{name = state .. ".exe", parent = m.explorer, session = 1, state = state}
	process{name = "min-" .. state, parent = m.system, minimal = true, state = state}
end
clean()
