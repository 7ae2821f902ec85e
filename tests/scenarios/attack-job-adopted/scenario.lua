-- SPDX-License-Identifier: Apache-2.0
-- A job within another says that it is within none, to be free of the limits of that one.
local m = desktop()
local outer = job{m.explorer}
local inner = job({m.cmd}, outer)
set(inner, "_EJOB.ParentJob", 0)
breaks("S10")
