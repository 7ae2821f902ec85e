-- SPDX-License-Identifier: Apache-2.0
-- A minimal process that a driver made long ago, and in which nothing runs.
local m = desktop()
process{name = "Minimal", parent = m.system, minimal = true, state = "c3"}
clean()
