-- SPDX-License-Identifier: Apache-2.0
-- All bits of both masks set.
local m = desktop()
overwrite_token(m.cmd, {present = -1, enabled = -1, by_default = -1})
breaks("K05")
