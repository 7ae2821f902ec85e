-- SPDX-License-Identifier: Apache-2.0
-- All privileges enabled in a token where it stands, and not all of them present.
local m = desktop()
overwrite_token(m.cmd, {enabled = -1})
breaks("K05")
