-- SPDX-License-Identifier: Apache-2.0
-- Without the entry by which the table is tried first, the rest of it is still believed.
local m = desktop()
erase_cid(m.system)
breaks("L02")
