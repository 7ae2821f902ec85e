-- SPDX-License-Identifier: Apache-2.0
-- What inherited a handle already is not on the active list yet.
machine{kernel = "22000"}
local m = desktop()
local _, shared = open_file(m.explorer, "shared.log")
open(process{name = "early.exe", parent = m.explorer, session = 1, state = "c1"}, shared)
excused("L15")
clean()
