-- SPDX-License-Identifier: Apache-2.0
-- What owns a port already is not on the active list yet.
machine{kernel = "22000"}
local m = desktop()
port(process{name = "early.exe", parent = m.explorer, session = 1, state = "c1"})
excused("L15")
clean()
