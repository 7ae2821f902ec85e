-- SPDX-License-Identifier: Apache-2.0
-- State d2 under KVA shadow: both roots were given back.
machine{kva_shadow = true}
local m = desktop()
run(0, m.explorer.threads[1])
process{name = "gone.exe", parent = m.explorer, session = 1, state = "d2"}
clean()
