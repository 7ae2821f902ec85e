-- SPDX-License-Identifier: Apache-2.0
-- The same, and it passes for one that was just created.
local m = desktop()
local new = process{name = "new.exe", parent = m.explorer, session = 1, threads = 2, gui = true,
                    created = image_time() - seconds(3)}
hide_threads(new)
breaks("X05")
